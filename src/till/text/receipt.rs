//! The texts of the receipts.

crate::catalogue! {
    /// The texts on a receipt.
    pub struct ReceiptWords;

    receipt => "RECEIPT", "收款小票";
    reversal_slip => "PAYMENT REVERSED", "撤销凭证";
    copy(number: u32) => "COPY {number}", "补打第 {number} 次";
    /// On a slip that is a file.
    on_no_paper => "ELECTRONIC RECEIPT", "电子凭证";
    training => "TRAINING", "练习";
    no_money_moved => "NO MONEY MOVED", "未真实扣款";
    paid => "PAID", "支付成功";
    reversed => "REVERSED", "已撤销";
    /// If nothing had been charged.
    nothing_charged =>
        "This payment was reversed. The customer was not charged.",
        "这笔支付已撤销，未向顾客扣款。";
    /// If the customer had paid.
    money_returned =>
        "The customer had paid. This payment was reversed, and the money is being returned to the \
         account it came from.",
        "顾客已付款，这笔支付已撤销，款项将原路退回顾客账户。";
    keep => "PLEASE KEEP THIS SLIP", "请妥善保管本凭证";
    not_confirmed => "NOT CONFIRMED", "结果待确认";
    /// If nobody knows yet whether money was taken.
    not_known =>
        "It is not known yet whether you were charged. The shop keeps checking with WeChat Pay. If you were \
         charged, you will receive your goods, or your money will be returned.",
        "目前尚未确认是否已扣款，门店会继续向微信支付查询。如已扣款，将向您交付商品，或将款项原路退回。";
    /// If money was seen to be taken, and its return is not proved.
    return_not_confirmed =>
        "WeChat Pay shows that you were charged. The money should be returned to the account it came \
         from; WeChat Pay has not confirmed this yet.",
        "微信支付显示已扣款，款项应原路退回，但微信支付尚未确认退款。";
    show_it =>
        "Please show this slip or its order number if you ask about this payment.",
        "查询这笔支付时，请出示本凭证或订单号。";
    /// The part of the amount that coupons paid.
    coupon => "Paid by coupon", "其中优惠";
    /// A line of a sale without a name.
    item => "Item", "商品";
    /// Taken off a line.
    discount => "Discount", "折扣";
    /// Taken off the whole sale.
    discount_on_sale => "Discount on the sale", "整单折扣";
    tax_in_it(rate: &str) => "Including {rate} tax", "含税（{rate}）";
    store => "Store", "门店";
    till => "Till", "收银机";
    paid_by => "Paid by", "支付方式";
    /// The same, where it is not paid.
    method => "Method", "支付方式";
    wechat_pay => "WeChat Pay", "微信支付";
    /// A Z report that was printed before.
    report_copy => "COPY", "补打";
    currency => "Currency", "币种";
    cash => "Cash", "现金";
    tendered => "Given", "实收";
    change => "Change", "找零";
    /// The part of the sale that is still to be paid.
    left => "Left to pay", "余款待付";
    /// What was paid of the sale, on the slip of a payment for its rest.
    paid_before => "Paid before", "此前已付";
    /// Above a code that is printed before it is paid.
    scan_to_pay => "SCAN TO PAY", "请扫码支付";
    valid_until => "Valid until", "有效期至";
    scan_with_wechat => "Scan this code with WeChat and pay.", "请用微信扫上面的码付款。";
    no_receipt => "NOT A RECEIPT", "此单非收款凭证";
    receipt_follows =>
        "This has not been paid yet. You get a receipt once you have paid.", "本单尚未付款，付款成功后另行打印小票。";
    order_number => "Order", "订单号";
    transaction => "Transaction", "交易单号";
    refund_slip => "REFUND", "退款凭证";
    /// Accepted, which is not done.
    on_its_way => "ON ITS WAY", "已受理";
    refund_on_its_way =>
        "WeChat Pay has accepted this refund. The money is on its way to the account it came from: at \
         once, or in up to three days on a card.",
        "微信支付已受理这笔退款，款项正在原路退回：零钱即时到账，银行卡一般三个工作日内到账。";
    refunded => "REFUNDED", "已退款";
    refund_done =>
        "The money went back to the account it came from.",
        "款项已原路退回。";
    refund_in_cash => "The money was given back in cash.", "款项已以现金退还。";
    refund_number => "Refund number", "退款单号";
    refund_reason => "Reason", "退款原因";
    refunded_by => "Refunded by", "经办人";
    agreed_by => "Approved by", "审批人";
    time => "Time", "时间";
    note => "Note", "备注";
}

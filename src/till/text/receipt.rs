//! The texts of the receipts.

crate::catalogue! {
    /// The texts on a receipt.
    pub struct ReceiptWords;

    receipt => "RECEIPT", "收款小票";
    reversal_slip => "PAYMENT REVERSED", "撤销凭证";
    copy => "DUPLICATE", "补打";
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
    /// The part of the amount that coupons paid.
    coupon => "Of it by coupon", "其中优惠";
    store => "Store", "门店";
    till => "Till", "收银机";
    paid_by => "Paid by", "支付方式";
    wechat_pay => "WeChat Pay", "微信支付";
    order_number => "Order", "订单号";
    transaction => "Transaction", "交易单号";
    time => "Time", "时间";
    note => "Note", "备注";
}

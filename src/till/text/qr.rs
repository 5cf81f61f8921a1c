//! What is said about a code that the customer scans.

crate::catalogue! {
    /// The words around a code.
    pub struct QrWords;

    scan_until(time: &str) =>
        "The customer scans this code with WeChat before {time}. Ctrl-C closes the order.",
        "请顾客用微信扫码付款，{time} 前有效。按 Ctrl-C 关闭订单。";
    cancelling =>
        "closing: one last query, then the order is closed at WeChat Pay (Ctrl-C again leaves it open)",
        "正在关闭：最后查询一次，然后在微信支付关闭订单（再按 Ctrl-C 则保留为未完成）";
}

//! The codes with which the gateway refuses a submission (protocol 4.2).

use super::status::{OrderStatus, RefusalClass};

/// One `err_code` of micropay, and what it leaves behind.
#[derive(Debug, Eq, PartialEq)]
pub struct RefusalCase {
    /// Its scenario's name.
    pub name: &'static str,
    /// `err_code`
    pub code: &'static str,
    /// `err_code_des`
    pub text: &'static str,
    /// What it means to a till.
    pub class: RefusalClass,
    /// The order's status afterwards, if no money was taken.
    pub leaves: OrderStatus,
}

impl RefusalCase {
    /// Whether the scenario under its plain name takes the money all the same.
    pub fn usually_charged(&self) -> bool {
        self.class == RefusalClass::Unclear
    }
}

const fn row(
    name: &'static str,
    code: &'static str,
    text: &'static str,
    class: RefusalClass,
    leaves: OrderStatus,
) -> RefusalCase {
    RefusalCase { name, code, text, class, leaves }
}

/// All of them. Their order is part of the codes that select them: add at the end only.
pub static REFUSALS: [RefusalCase; 25] = {
    use OrderStatus::{Closed, NotFound, Open, Revoked};
    use RefusalClass::{Failed, QueryFirst, SetUp, Unclear};
    [
        row("systemerror", "SYSTEMERROR", "系统超时", Unclear, Open),
        row("bankerror", "BANKERROR", "银行系统异常", Unclear, Open),
        row("param-error", "PARAM_ERROR", "参数错误", SetUp, NotFound),
        row("orderpaid", "ORDERPAID", "该订单已支付", Unclear, NotFound),
        row("noauth", "NOAUTH", "商户无权限", SetUp, NotFound),
        row("auth-code-expire", "AUTHCODEEXPIRE", "二维码已过期，请刷新再试", Failed, NotFound),
        row("notenough", "NOTENOUGH", "余额不足", Failed, Open),
        row("notsupportcard", "NOTSUPORTCARD", "不支持卡类型", Failed, Open),
        row("orderclosed", "ORDERCLOSED", "订单已关闭", Failed, Closed),
        row("orderreversed", "ORDERREVERSED", "订单已撤销", Failed, Revoked),
        row("auth-code-error", "AUTH_CODE_ERROR", "付款码参数错误", Failed, NotFound),
        row("auth-code-invalid", "AUTH_CODE_INVALID", "付款码检验错误", Failed, NotFound),
        row("buyer-mismatch", "BUYER_MISMATCH", "支付帐号错误", QueryFirst, NotFound),
        row("out-trade-no-used", "OUT_TRADE_NO_USED", "商户订单号重复", QueryFirst, NotFound),
        row("invalid-request", "INVALID_REQUEST", "201 商户订单号重复", QueryFirst, NotFound),
        row("trade-error", "TRADE_ERROR", "用户账户异常", Failed, Open),
        row("xml-format-error", "XML_FORMAT_ERROR", "XML格式错误", SetUp, NotFound),
        row("require-post-method", "REQUIRE_POST_METHOD", "请使用post方法", SetUp, NotFound),
        row("signerror", "SIGNERROR", "签名错误", SetUp, NotFound),
        row("lack-params", "LACK_PARAMS", "缺少参数", SetUp, NotFound),
        row("not-utf8", "NOT_UTF8", "编码格式错误", SetUp, NotFound),
        row("appid-not-exist", "APPID_NOT_EXIST", "APPID不存在", SetUp, NotFound),
        row("mchid-not-exist", "MCHID_NOT_EXIST", "MCHID不存在", SetUp, NotFound),
        row(
            "appid-mchid-not-match",
            "APPID_MCHID_NOT_MATCH",
            "appid和mch_id不匹配",
            SetUp,
            NotFound,
        ),
        // Not in the table: codes may be added at any time.
        row("unheard-code", "UNHEARD_OF_CODE", "未知错误", Unclear, Open),
    ]
};

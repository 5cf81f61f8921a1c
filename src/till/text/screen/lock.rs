//! The page of a till that is locked.

crate::catalogue! {
    /// The texts of the page.
    pub struct LockWords;

    locked => "LOCKED", "已锁定";
    enter_pin => "Enter your PIN, then press Enter.", "请输入操作员密码，再按回车键。";
    checking => "Checking...", "正在核对…";
    wait(seconds: u64) => "Try again in {seconds} s.", "请等 {seconds} 秒后重试。";
    wrong => "That is nobody's PIN.", "密码不正确。";
    digits_only => "A PIN has digits only.", "密码只能是数字。";
    so_many_digits => "A PIN has 4 to 12 digits.", "密码为 4 至 12 位数字。";
    unreadable(why: &str) => "Nobody can sign in: {why}.", "无法登录：{why}。";
    nothing_open => "No payment is open.", "没有未完成的支付。";
    one_open =>
        "The payment above goes on by itself. Keep its goods until it is PAID.",
        "上方这笔支付会自动继续处理，显示“支付成功”之前请勿交付商品。";
    open(count: usize) =>
        "{count} payments go on by themselves. Keep their goods until they are PAID.",
        "有 {count} 笔支付会自动继续处理，显示“支付成功”之前请勿交付商品。";
    /// A cashier may not do it alone.
    consent => "MANAGER NEEDED", "需店长同意";
    consent_to_drawer => "Open the cash drawer without a sale.", "非收款时打开钱箱。";
    consent_to_act => "A cashier may not do this alone.", "收银员不能单独执行此操作。";
    enter_manager_pin => "A manager enters their PIN and presses Enter.", "请店长输入密码，再按回车键。";
    not_a_manager(name: &str) => "{name} is no manager.", "{name}不是店长。";
    key_agree => "Agree", "同意";
    key_sign_in => "Sign in", "登录";
}

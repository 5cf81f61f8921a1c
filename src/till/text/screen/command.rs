//! Other words for the commands: what somebody may type who does not know their names.

crate::catalogue! {
    /// What a command is found by, beside its name and its key.
    pub struct CommandWords;

    enter => "next step continue confirm yes", "下一步 继续 确定";
    esc => "back cancel undo clear leave stop abort reverse", "返回 取消 清除 停止 撤销";
    next_customer => "next customer queue line wait hold park", "下一位 顾客 排队 挂起 接待";
    come_back => "open payments tray recall bring back unfinished pending", "未完成 调回 取回 待处理";
    help => "help explain what how keys shortcuts", "帮助 说明 按键 快捷键 怎么";
    goods => "goods products catalogue article item search price", "商品 查找 目录 价格 拼音";
    hold => "hold recall park suspend retrieve put aside", "挂单 取单 暂存 恢复";
    check_now => "check ask query status result verify now", "查询 核实 状态 结果 刷新";
    entries => "entries details log raw history fields", "记录 明细 详情 过程";
    code => "qr code scan native our ours customer scans us show bill table", "收款码 二维码 扫码 出示 主扫 付款单 桌台";
    drawer => "cash tender pay change open drawer money box in out no sale", "现金 收款 找零 打开 钱箱 存入 取出";
    shift => "shift open close x z report count float end of day bill reconcile compare", "班次 开班 交班 日结 报表 清点 备用金 账单 对账 核对";
    find => "find order search look up lookup paid claim number receipt", "查找 订单 搜索 单号 付过款 核实";
    refund => "refund money back return give", "退款 退钱 退货";
    reprint => "print reprint receipt slip copy again paper", "打印 补打 重打 小票 凭证";
    training => "training practice customers simulate test demo", "练习 模拟 顾客 测试 培训";
    language => "language chinese english 中文", "语言 切换 中文 英文 english";
    lock => "lock sign in sign out operator cashier pin change switch user", "锁定 登录 换班 收银员 换人 密码";
    quit => "quit exit close leave end shut", "退出 关闭 离开 结束 收工";
}

//! What is wrong with a device, in words for the cashier.

use crate::device::DeviceFault;
use crate::device::inventory::DeviceClass;
use crate::device::printer::{JobFault, Trouble};
use crate::device::role::{Role, Why};
use crate::language::Language;

/// Why a connected device cannot be used.
pub fn fault(fault: &DeviceFault, language: Language) -> String {
    let (english, chinese) = match fault {
        DeviceFault::Denied => ("no permission (group dialout)", "没有权限（需要 dialout 组）"),
        DeviceFault::DeniedHid => ("install 70-paytill.rules", "请安装 70-paytill.rules"),
        DeviceFault::Busy => ("another program is using it", "被其他程序占用"),
        DeviceFault::NotSerial => ("not a serial port", "不是串口"),
        DeviceFault::Terminal => ("somebody's terminal, not a device", "是终端窗口，不是设备"),
        DeviceFault::Stalled => {
            ("not accepting data: check paper and cover", "不接收数据，请检查纸张和上盖")
        }
        DeviceFault::Blocked => {
            ("not accepting data: check cable and power", "不接收数据，请检查连接线和电源")
        }
        DeviceFault::Silent => ("no answer: check power and cable", "无应答，请检查电源和连接线"),
        DeviceFault::Swapped => (
            "a scanner is plugged in there: are scanner.port and printer.port swapped?",
            "那里接的是扫码枪：scanner.port 与 printer.port 是否接反了？",
        ),
        DeviceFault::SwappedPrinter => (
            "a printer is plugged in there: are scanner.port and printer.port swapped?",
            "那里接的是打印机：scanner.port 与 printer.port 是否接反了？",
        ),
        DeviceFault::Printer(trouble) => return self::trouble(*trouble, language).to_owned(),
        DeviceFault::Other(words) => return words.clone(),
    };
    language.pick(english, chinese).to_owned()
}

/// What to do about a device that cannot be used.
pub fn remedy(fault: &DeviceFault, language: Language) -> &'static str {
    let (english, chinese) = match fault {
        DeviceFault::Denied | DeviceFault::DeniedHid => (
            "Install assets/70-paytill.rules into /etc/udev/rules.d, and add the user to dialout.",
            "请将 assets/70-paytill.rules 放入 /etc/udev/rules.d，并把用户加入 dialout 组。",
        ),
        DeviceFault::Busy => (
            "Close the other program; assets/70-paytill.rules keeps ModemManager away.",
            "请关闭占用它的程序；assets/70-paytill.rules 可避免 ModemManager 占用。",
        ),
        DeviceFault::NotSerial | DeviceFault::Terminal => (
            "Set the port to the device itself, such as one in /dev/serial/by-id.",
            "请把端口设为设备本身，例如 /dev/serial/by-id 下的名称。",
        ),
        DeviceFault::Stalled | DeviceFault::Printer(_) => (
            "Check paper and cover, then switch the printer off and on.",
            "请检查纸张和上盖，然后关机再开机。",
        ),
        DeviceFault::Swapped => (
            "Swap the two cables, or the ports in the configuration.",
            "请对调两根连接线，或修改配置中的端口。",
        ),
        DeviceFault::SwappedPrinter => (
            "Swap the two cables, or set scanner.port to the scanner's port: paytill devices lists all.",
            "请对调两根连接线，或把 scanner.port 设为扫码枪的端口：用 paytill devices 查看全部。",
        ),
        DeviceFault::Silent | DeviceFault::Blocked | DeviceFault::Other(_) => (
            "Check its cable and power, then plug it in again.",
            "请检查连接线和电源，并重新插拔。",
        ),
    };
    language.pick(english, chinese)
}

/// Why a printer does not print, short enough for the status line.
pub fn trouble(trouble: Trouble, language: Language) -> &'static str {
    let (english, chinese) = match trouble {
        Trouble::CoverOpen => ("cover open", "上盖未合"),
        Trouble::PaperOut => ("out of paper", "缺纸"),
        Trouble::Cutter => ("cutter jammed", "切刀卡住"),
        Trouble::Broken => ("broken: call service", "故障，请报修"),
        Trouble::HeadHot => ("head too hot: wait", "打印头过热，请稍候"),
        Trouble::Error => ("error: check the printer", "出错，请检查"),
        Trouble::FeedButton => ("feed button pressed", "正在按走纸键"),
        Trouble::Offline => ("offline", "离线"),
    };
    language.pick(english, chinese)
}

/// The printer works, but not for much longer.
pub fn paper_low(language: Language) -> &'static str {
    language.pick("paper low", "纸将用完")
}

/// Why a receipt was not printed.
pub fn job_fault(fault: &JobFault, language: Language) -> String {
    let (english, chinese) = match fault {
        JobFault::Away => ("the printer was disconnected too long", "打印机长时间未连接"),
        JobFault::Withdrawn => ("the slip was out of date", "小票内容已过时"),
        JobFault::Stalled => ("the printer stopped accepting data", "打印机停止接收数据"),
        JobFault::Trouble(trouble) => return self::trouble(*trouble, language).to_owned(),
        JobFault::Unconfirmed => {
            ("the printer did not confirm it: check the paper", "打印机未确认，请检查是否已打印")
        }
        JobFault::Unplugged => ("the printer was unplugged", "打印时打印机被拔出"),
        JobFault::NotWritten(fault) => return self::fault(fault, language),
    };
    language.pick(english, chinese).to_owned()
}

/// The printer's queue is full.
pub fn queue_full(language: Language) -> &'static str {
    language.pick("too many receipts are waiting for the printer", "等待打印的小票太多")
}

/// What the till uses a device for.
pub fn role(role: Role, language: Language) -> &'static str {
    let (english, chinese) = match role {
        Role::Scanner(Why::HidPos) => ("scanner: HID POS", "扫码枪：HID POS"),
        Role::Scanner(Why::Named) => ("scanner: set in the configuration", "扫码枪：配置中指定"),
        Role::Scanner(Why::Learned(_)) => ("scanner: learned", "扫码枪：已学习"),
        Role::Scanner(Why::Known) => ("scanner: known model", "扫码枪：已知型号"),
        Role::Scanner(Why::CallsItselfOne) => ("scanner: by its own name", "扫码枪：设备自称"),
        Role::MaybeScanner => ("possibly a scanner (use --learn)", "可能是扫码枪（请用 --learn）"),
        Role::Keyboard => ("keyboard", "键盘"),
        Role::Configured => ("printer or display (configured)", "打印机或客显（已配置）"),
        Role::Unknown => {
            ("unknown (use --learn if it is a scanner)", "未知（如是扫码枪，请用 --learn）")
        }
    };
    language.pick(english, chinese)
}

/// What to do about a device that this user has no permission to open.
pub fn how_to_permit(class: &DeviceClass, language: Language) -> &'static str {
    let (english, chinese) = match class {
        DeviceClass::Serial => (
            "no permission: install assets/70-paytill.rules in /etc/udev/rules.d, and join the group dialout",
            "没有权限：请把 assets/70-paytill.rules 装到 /etc/udev/rules.d，并加入 dialout 组",
        ),
        DeviceClass::Keyboard | DeviceClass::HidPos(_) | DeviceClass::OtherHid => (
            "no permission: install assets/70-paytill.rules in /etc/udev/rules.d; add the vendor \
             number if it is not listed there",
            "没有权限：请把 assets/70-paytill.rules 装到 /etc/udev/rules.d；其他厂商需添加其编号",
        ),
    };
    language.pick(english, chinese)
}

/// What to do about a scanner that uses its maker's own format.
pub fn own_format(language: Language) -> &'static str {
    language.pick(
        "it uses a format of its maker's own: scan the setup barcode for HID POS, serial (CDC) or keyboard",
        "使用厂商专有格式：请扫设置码，改为 HID POS、串口（CDC）或键盘模式",
    )
}

crate::catalogue! {
    /// The messages of `paytill devices --learn`.
    pub struct LearnWords;

    nothing_there =>
        "nothing that could be a scanner is plugged in", "没有接入可能是扫码枪的设备";
    scan_now =>
        "scan the barcode of any product now (10 characters or more), not a payment code; \
         stops after 60 seconds, or with Ctrl-C",
        "请扫任意商品条码（10 个字符以上），不要扫付款码；60 秒后结束，或按 Ctrl-C 结束";
    cannot_listen(device: &str, why: &str) =>
        "{device}: cannot be listened to: {why}", "{device}：无法监听：{why}";
    garbled(device: &str, baud: u32) =>
        "{device}: something came, but not at this speed. Scan again; the speed is now {baud} baud",
        "{device}：收到数据，但速率不对。请再扫一次；现在的速率为 {baud}";
    heard(device: &str) => "heard {device}", "已收到 {device}";
    remembered(path: &str) => "saved in {path}", "已记录到 {path}";
    has_no_number(node: &str, baud: u32) =>
        "it has no number to know it by; set it in the configuration instead: \
         scanner.port = \"{node}\", scanner.baud = {baud}",
        "该设备没有编号可供识别，请在配置中指定：scanner.port = \"{node}\"，scanner.baud = {baud}";
    at_the_printers_port(node: &str) =>
        "the scanner is at {node}, which is printer.port: swap the two cables, or write \
         scanner.port = \"{node}\" and set printer.port to the other port",
        "扫码枪接在 {node}，即 printer.port：请对调两根连接线，或写 scanner.port = \"{node}\" 并把 \
         printer.port 设为另一个端口";
    nothing_learned => "nothing was scanned, and nothing was saved", "没有扫到任何内容，未做记录";
}

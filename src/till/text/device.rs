//! What is wrong with a device, in words for the cashier.

use crate::device::Fault;
use crate::device::inventory::Class;
use crate::device::printer::{JobFault, Trouble};
use crate::device::role::{Role, Why};
use crate::language::Language;

/// Why a device that is there cannot be used.
pub fn fault(fault: &Fault, language: Language) -> String {
    let (english, chinese) = match fault {
        Fault::Denied => ("no permission (group dialout)", "没有权限（需要 dialout 组）"),
        Fault::DeniedHid => ("install 70-paytill.rules", "请安装 70-paytill.rules"),
        Fault::Busy => ("another program uses it", "被其他程序占用"),
        Fault::NotSerial => ("it is not a serial port", "不是串口"),
        Fault::Stalled => {
            ("it takes no data: look for paper and cover", "打印机不响应，请检查纸张和机盖")
        }
        Fault::Blocked => {
            ("it takes no data: look at its cable and power", "不接收数据，请检查连线和电源")
        }
        Fault::Silent => ("no answer: switch, cable?", "无应答：请检查电源和连线"),
        Fault::Printer(trouble) => return self::trouble(*trouble, language).to_owned(),
        Fault::Other(words) => return words.clone(),
    };
    pick(language, english, chinese).to_owned()
}

/// What to do about a device that cannot be used.
pub fn remedy(fault: &Fault, language: Language) -> &'static str {
    let (english, chinese) = match fault {
        Fault::Denied | Fault::DeniedHid => (
            "Install assets/70-paytill.rules into /etc/udev/rules.d, and add the user to dialout.",
            "请将 assets/70-paytill.rules 放入 /etc/udev/rules.d，并把用户加入 dialout 组。",
        ),
        Fault::Busy => (
            "Close the other program; ModemManager is kept away by assets/70-paytill.rules.",
            "请关闭占用它的程序；assets/70-paytill.rules 可避免 ModemManager 占用。",
        ),
        Fault::NotSerial => (
            "Name the device itself as the port, such as one in /dev/serial/by-id.",
            "请把端口设为设备本身，例如 /dev/serial/by-id 下的名称。",
        ),
        Fault::Stalled | Fault::Printer(_) => {
            ("Look for paper and cover, and switch it on again.", "请检查纸张和机盖，并重新开机。")
        }
        Fault::Silent | Fault::Blocked | Fault::Other(_) => {
            ("Look at its cable and power, and plug it in again.", "请检查连线和电源，并重新插拔。")
        }
    };
    pick(language, english, chinese)
}

/// Why a printer does not print, short enough for the status line.
pub fn trouble(trouble: Trouble, language: Language) -> &'static str {
    let (english, chinese) = match trouble {
        Trouble::CoverOpen => ("cover open", "机盖未关"),
        Trouble::PaperOut => ("no paper", "缺纸"),
        Trouble::Cutter => ("cutter stuck", "切刀卡住"),
        Trouble::Broken => ("broken: call service", "故障，请报修"),
        Trouble::HeadHot => ("head too hot: wait", "打印头过热，请稍候"),
        Trouble::Error => ("fault: look at it", "出错，请检查"),
        Trouble::FeedButton => ("feed button pressed", "正在按走纸键"),
        Trouble::Offline => ("off line", "脱机"),
    };
    pick(language, english, chinese)
}

/// A printer that works, and will not for long.
pub fn paper_low(language: Language) -> &'static str {
    pick(language, "paper ends soon", "纸将用完")
}

/// Why a receipt was not printed.
pub fn job_fault(fault: &JobFault, language: Language) -> String {
    let (english, chinese) = match fault {
        JobFault::Away => ("the printer was away too long", "打印机长时间未连接"),
        JobFault::Stalled => ("the printer stopped taking data", "打印机停止接收数据"),
        JobFault::Trouble(trouble) => return self::trouble(*trouble, language).to_owned(),
        JobFault::Unconfirmed => {
            ("the printer does not confirm it: look at the paper", "打印机未确认，请检查小票")
        }
        JobFault::Unplugged => ("the printer was unplugged", "打印时打印机被拔出"),
        JobFault::NotWritten(words) => return words.clone(),
    };
    pick(language, english, chinese).to_owned()
}

/// The queue is full.
pub fn queue_full(language: Language) -> &'static str {
    pick(language, "too many receipts wait for the printer", "等待打印的小票太多")
}

/// What a device is taken for.
pub fn role(role: Role, language: Language) -> &'static str {
    let (english, chinese) = match role {
        Role::Scanner(Why::HidPos) => ("scanner: HID POS", "扫码枪：HID POS"),
        Role::Scanner(Why::Named) => ("scanner: named in the configuration", "扫码枪：配置中指定"),
        Role::Scanner(Why::Learned(_)) => ("scanner: learned", "扫码枪：已学习"),
        Role::Scanner(Why::Known) => ("scanner: known maker or product", "扫码枪：已知型号"),
        Role::Scanner(Why::CallsItselfOne) => ("scanner: by its own name", "扫码枪：设备自称"),
        Role::MaybeScanner => ("maybe a scanner (--learn)", "可能是扫码枪（--learn）"),
        Role::Keyboard => ("keyboard", "键盘"),
        Role::Configured => ("printer or display (configured)", "打印机或顾显（已配置）"),
        Role::Unknown => {
            ("not known (--learn if it is a scanner)", "未知（如是扫码枪，请用 --learn）")
        }
    };
    pick(language, english, chinese)
}

/// What to do about a device that this user may not open.
pub fn how_to_permit(class: &Class, language: Language) -> &'static str {
    let (english, chinese) = match class {
        Class::Serial => (
            "no permission: install assets/70-paytill.rules in /etc/udev/rules.d, and join the group dialout",
            "没有权限：请把 assets/70-paytill.rules 装到 /etc/udev/rules.d，并加入 dialout 组",
        ),
        Class::Keyboard | Class::HidPos(_) | Class::OtherHid => (
            "no permission: install assets/70-paytill.rules in /etc/udev/rules.d; another maker's \
             number must be added to it",
            "没有权限：请把 assets/70-paytill.rules 装到 /etc/udev/rules.d；其他厂商需添加其编号",
        ),
    };
    pick(language, english, chinese)
}

/// What to do about a scanner in a format of its maker's own.
pub fn own_format(language: Language) -> &'static str {
    pick(
        language,
        "it speaks a format of its maker's own: scan the setup barcode for HID POS, serial (CDC) or keyboard",
        "使用厂商专有格式：请扫设置码，改为 HID POS、串口（CDC）或键盘模式",
    )
}

/// What is said while the till learns its scanner.
pub struct Learning {
    pub nothing_there: &'static str,
    pub scan_now: &'static str,
    pub cannot_listen: &'static str,
    pub garbled: &'static str,
    pub heard: &'static str,
    pub remembered: &'static str,
    pub has_no_number: &'static str,
    pub nothing_learned: &'static str,
}

/// Those words in a language.
pub fn learning(language: Language) -> &'static Learning {
    match language {
        Language::English => &Learning {
            nothing_there: "nothing is plugged in that could be a scanner",
            scan_now: "scan the barcode of any article now (10 characters or more); Ctrl-C ends it, \
                       or 60 seconds. Not a payment code",
            cannot_listen: "cannot be listened to",
            garbled: "something came, but not at this speed. Scan it once more; bits a second now",
            heard: "heard",
            remembered: "remembered in",
            has_no_number: "it has no number to know it by: name it in the configuration instead",
            nothing_learned: "nothing was scanned, and nothing is remembered",
        },
        Language::Chinese => &Learning {
            nothing_there: "没有接入可能是扫码枪的设备",
            scan_now: "现在请扫任意商品条码（10 个字符以上）；按 Ctrl-C 或 60 秒后结束。不要扫付款码",
            cannot_listen: "无法监听",
            garbled: "收到数据，但速率不对。请再扫一次；现在的速率",
            heard: "已收到",
            remembered: "已记录到",
            has_no_number: "该设备没有编号可供识别：请在配置中指定",
            nothing_learned: "没有扫到任何内容，未做记录",
        },
    }
}

fn pick<'a>(language: Language, english: &'a str, chinese: &'a str) -> &'a str {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}

//! What is wrong with a device, in words for the cashier.

use super::Language;
use crate::device::Fault;
use crate::device::printer::{JobFault, Trouble};

/// Why a device that is there cannot be used.
pub fn fault(fault: &Fault, language: Language) -> String {
    let (english, chinese) = match fault {
        Fault::Denied => ("no permission (group dialout)", "没有权限（需要 dialout 组）"),
        Fault::Busy => ("another program uses it", "被其他程序占用"),
        Fault::NotSerial => ("it is not a serial port", "不是串口"),
        Fault::Stalled => {
            ("it takes no data: look for paper and cover", "打印机不响应，请检查纸张和机盖")
        }
        Fault::Silent => ("no answer: switch, cable?", "无应答：请检查电源和连线"),
        Fault::Printer(trouble) => return self::trouble(*trouble, language).to_owned(),
        Fault::Blocked => {
            ("it takes no data: look at its cable and power", "不接收数据，请检查连线和电源")
        }
        Fault::Other(words) => return words.clone(),
    };
    pick(language, english, chinese).to_owned()
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

fn pick<'a>(language: Language, english: &'a str, chinese: &'a str) -> &'a str {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}

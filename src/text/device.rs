//! What is wrong with a device, in words for the cashier.

use super::Language;
use crate::device::Fault;
use crate::device::printer::JobFault;

/// Why a device that is there cannot be used.
pub fn fault(fault: &Fault, language: Language) -> String {
    let (english, chinese) = match fault {
        Fault::Denied => ("no permission (group dialout)", "没有权限（需要 dialout 组）"),
        Fault::DeniedHid => {
            ("no permission: 70-paytill.rules", "没有权限：请安装 70-paytill.rules")
        }
        Fault::Busy => ("another program uses it", "被其他程序占用"),
        Fault::NotSerial => ("it is not a serial port", "不是串口"),
        Fault::Stalled => {
            ("it takes no data: look for paper and cover", "打印机不响应，请检查纸张和机盖")
        }
        Fault::Other(words) => return words.clone(),
    };
    pick(language, english, chinese).to_owned()
}

/// Why a receipt was not printed.
pub fn job_fault(fault: &JobFault, language: Language) -> String {
    let (english, chinese) = match fault {
        JobFault::Away => ("the printer was away too long", "打印机长时间未连接"),
        JobFault::Stalled => ("the printer stopped taking data", "打印机停止接收数据"),
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

//! The messages of `paytill print-test` after its page is printed.

use crate::device::printer::Answers;
use crate::language::Language;

/// What the printer answered, and which profile each part of the page indicates, line by line.
pub fn after(is_proven: bool, answers: &Answers, language: Language) -> Vec<String> {
    let words = PrintTestWords::of(language);
    let mut lines = vec![if is_proven { words.printed() } else { words.sent() }.to_owned()];
    lines.extend(answers.model.as_ref().map(|model| words.model(model)));
    let answer = match answers {
        Answers { status: false, sync_point: Some(true), .. } => words.answers_fence(),
        Answers { status: false, .. } => words.answers_nothing(),
        Answers { sync_point: Some(true), .. } => words.answers_all(),
        Answers { .. } => words.answers_status(),
    };
    lines.push(answer.to_owned());
    lines.extend(words.advice().iter().map(|&line| line.to_owned()));
    lines
}

crate::catalogue! {
    /// The lines, without the values from the configuration.
    pub struct PrintTestWords;

    printed => "printed: confirmed by the printer", "已打印：打印机已确认";
    sent => "sent to the printer", "已发送到打印机";
    model(model: &str) => "model: {model}", "型号：{model}";
    answers_nothing =>
        "it answers no question: the till will say sent, and never printed",
        "打印机不回答任何询问：收银机只显示“已发送”，不显示“已打印”";
    answers_status =>
        "it reports faults, but not whether it has printed: the till will say sent",
        "打印机会报告故障，但不确认是否打印：收银机显示“已发送”";
    answers_fence =>
        "it answers when it has printed, and is asked nothing else: the till will say printed",
        "打印机会确认打印，不询问其他状态：收银机显示“已打印”";
    how_to_overrule =>
        "if it prints all the same, set printer.status to \"fence\", or to \"off\" if that does not help",
        "如果打印机其实能打印，请把 printer.status 设为 \"fence\"；仍不行就设为 \"off\"";
    ask_all_the_same =>
        "press Enter to print the page all the same, or Ctrl-C to leave",
        "按 Enter 照样打印测试页，按 Ctrl-C 退出";
    answers_all =>
        "it reports faults, and when it has printed: the till will say printed",
        "打印机会报告故障并确认打印：收银机显示“已打印”";
    advice => [
        "Check the page, and set printer.profile to the first that fits:",
        "请查看打印出的测试页，把 printer.profile 设为第一个符合的值："
    ], [
        "  \"epson\"      1, 2, 4 and 5 are right, the page was cut, and Epson made the printer",
        "  \"epson\"      1、2、4、5 正确，已切纸，且为爱普生打印机"
    ], [
        "  \"generic\"    1, 2, 4 and 5 are right, and the page was cut",
        "  \"generic\"    1、2、4、5 正确，已切纸"
    ], [
        "  \"no-cutter\"  1, 2, 4 and 5 are right, and the page was not cut",
        "  \"no-cutter\"  1、2、4、5 正确，未切纸"
    ], [
        "  \"gb2312\"     1 is right, 2 is not",
        "  \"gb2312\"     1 正确，2 不正确"
    ], [
        "  \"raster\"     1 is wrong; 3, 6 and 7 are right",
        "  \"raster\"     1 不正确；3、6、7 正确"
    ], [
        "If nothing is right, check printer.baud. If the digits do not fill one line, check printer.paper_mm.",
        "如全部不正确，请检查 printer.baud。数字应占满一行，否则请检查 printer.paper_mm。"
    ];
}

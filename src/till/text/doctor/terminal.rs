//! What the doctor says of the terminal.

use super::Check::Terminal;
use super::CheckResult;
use super::Verdict::Warning;
use super::check::{result, well};
use crate::language::Language;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TerminalState {
    Good,
    Poor,
    NotUtf8,
    /// It has no Chinese characters.
    Latin,
}

impl TerminalState {
    pub(super) fn result(self, language: Language) -> CheckResult {
        match self {
            Self::Good => well(
                Terminal,
                language.pick("Terminal is fine (UTF-8).", "终端正常（UTF-8）。"),
            ),
            Self::Poor => result(
                Terminal,
                Warning,
                language.pick(
                    "TERM does not name a terminal that can show the cashier's screen.",
                    "TERM 指明的终端无法显示收银界面。",
                ),
                language.pick(
                    "Open the cashier's screen from a terminal; `paytill pay` needs none.",
                    "请在终端中打开收银界面；paytill pay 不需要终端。",
                ),
            ),
            Self::Latin => result(
                Terminal,
                Warning,
                language.pick(
                    "This console (TERM=linux) cannot draw Chinese: the cashier's screen is in English here.",
                    "此控制台（TERM=linux）无法显示中文：收银界面在这里显示英文。",
                ),
                language.pick(
                    "For Chinese, open the screen in a graphical terminal, or in fbterm or kmscon.",
                    "需要中文时，请在图形终端、fbterm 或 kmscon 中打开收银界面。",
                ),
            ),
            Self::NotUtf8 => result(
                Terminal,
                Warning,
                language.pick(
                    "The locale is not UTF-8, so Chinese and frames may not be drawn.",
                    "区域设置不是 UTF-8，中文和边框可能无法显示。",
                ),
                language.pick(
                    "Set LANG=C.UTF-8 for the till's user.",
                    "请为收银用户设置 LANG=C.UTF-8。",
                ),
            ),
        }
    }
}

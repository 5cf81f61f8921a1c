//! `--help` in the reader's language: clap has it in English from the commands' own descriptions, and
//! here are the same texts in Chinese.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory as _, Error, FromArgMatches as _};

use paytill_core::language::Language;

use super::Cli;

/// Global options are listed below a command's own.
const GLOBAL_ORDER: usize = 900;

impl Cli {
    /// Reads the arguments. An error may be a request for help, which is in the language.
    pub fn read(arguments: &[OsString], language: Language) -> Result<Self, Error> {
        Self::from_arg_matches_mut(&mut command(language).try_get_matches_from(arguments)?)
    }
}

/// All commands with their texts in a language.
fn command(language: Language) -> Command {
    let mut command = Cli::command();
    // Adds clap's own help options and the global ones, so that they are translated as well.
    command.build();
    match language {
        Language::English => command,
        Language::Chinese => dressed(command, ""),
    }
}

/// A command in Chinese. `above` are those that it is a part of.
fn dressed(command: Command, above: &str) -> Command {
    let path = format!("{above} {}", command.get_name());
    let path = path.trim_start_matches(" paytill-backend").trim_start().to_owned();
    let command = command
        .mut_subcommands(|inner| dressed(inner, &path))
        .mut_args(described)
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令");
    let command = match about(&path) {
        Some(about) => command.about(about).long_about(about),
        None => command,
    };
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("[OPTIONS]", "[选项]");
    let template = "{about-with-newline}\n用法：{usage}\n\n{all-args}";
    command.override_usage(usage).help_template(StyledStr::from(template))
}

fn described(argument: Arg) -> Arg {
    let id = argument.get_id().as_str().to_owned();
    let heading = if argument.is_positional() { "参数" } else { "选项" };
    let default = argument.get_default_values().first().and_then(|value| value.to_str());
    let default = default.filter(|_| argument.get_action().takes_values());
    let default = default.map(|value| format!("（默认 {value}）")).unwrap_or_default();
    let argument = argument.help_heading(heading).hide_default_value(true);
    let argument =
        if argument.is_global_set() { argument.display_order(GLOBAL_ORDER) } else { argument };
    match help(&id) {
        Some(help) => argument.help(format!("{help}{default}")).long_help(None::<&str>),
        None => argument,
    }
}

/// What a command does, by its words.
fn about(path: &str) -> Option<&'static str> {
    // `help till add` and `till help add` say what `till add --help` does.
    let words: Vec<_> = path.split(' ').collect();
    if words.last() == Some(&"help") {
        return Some("显示帮助");
    }
    let words: Vec<_> = words.into_iter().filter(|word| *word != "help").collect();
    Some(match words.join(" ").as_str() {
        "" => "商户后台：连接多台收银机与微信支付",
        "orders" => "列出所有收银台的订单，最新的在前",
        "show" => "显示一笔订单及其全部经过",
        "find" => "按任意单号、尾号、金额或时间查找订单",
        "recover" => "处理完所有未完成的支付和退款后退出",
        "reconcile" => "将微信支付某日账单与所有门店的记录核对",
        "doctor" => "检查本程序所需的一切",
        "audit" => "列出操作记录，并核对是否被改动",
        "openapi" => "输出收银机接口的 OpenAPI 文档",
        "migrate" => "将数据库更新到本版本的结构",
        "till" => "收银台：谁可以代表门店收款",
        "till add" => "生成一次性登记码，供收银台登记",
        "till list" => "列出所有收银台、权限和最近联系时间",
        "till revoke" => "几秒内停用一台收银台的密钥；未完成的支付仍会处理完毕",
        "outbox" => "发给商户系统的通知",
        "outbox list" => "列出通知，最新的在前",
        "outbox resend" => "重新发送一条通知，从第一次尝试算起：类型和对象见列表",
        "admin" => "可以查看店主页面的人",
        "admin add" => "添加店主账号；密码在终端输入，或从标准输入读取",
        "admin list" => "列出所有店主账号",
        "admin remove" => "删除店主账号，立即生效",
        _ => return None,
    })
}

/// What an argument means; it means the same wherever it stands.
fn help(id: &str) -> Option<&'static str> {
    Some(match id {
        "config" => "配置文件",
        "lang" => "界面语言：zh-CN 或 en",
        "help" => "显示帮助",
        "version" => "显示版本",
        "json" => "每行输出一个 JSON 对象",
        "day" => "哪一天：today、yesterday 或 YYYY-MM-DD",
        "state" => "只看这个状态",
        "till" => "收银台编号，1 至 8 个字母、数字、_ 或 -，订单号以它开头",
        "limit" => "最多列出的条数",
        "order_no" => "订单号、微信支付订单号或退款单号",
        "text" => "已知的内容",
        "store" => "门店编号",
        "no_charge" => "不可收款",
        "no_qr" => "不可出示收款码",
        "refund_up_to" => "单笔退款上限，以元为单位",
        "refund_per_day" => "每日退款上限，以元为单位",
        "dead" => "只看已放弃的",
        "kind" => "通知类型",
        "subject" => "订单号或退款单号",
        "name" => "用户名",
        "subcommand" | "command" => "要了解的命令",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, language: Language) -> Result<Cli, Error> {
        let words = std::iter::once("paytill-backend").chain(line.split(' '));
        Cli::read(&words.map(OsString::from).collect::<Vec<_>>(), language)
    }

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))
    }

    fn walk(command: &Command, see: &mut impl FnMut(&Command)) {
        see(command);
        command.get_subcommands().for_each(|inner| walk(inner, see));
    }

    #[test]
    fn every_command_and_argument_is_described_in_both_languages() {
        for language in Language::ALL {
            let mut count = 0;
            walk(&command(language), &mut |command| {
                let name = command.get_name();
                let about = command.get_about().map(ToString::to_string).unwrap_or_default();
                let is_right = |text: &str| is_chinese(text) == (language == Language::Chinese);
                assert!(!about.is_empty() && is_right(&about), "{name}: {about}");
                for argument in command.get_arguments() {
                    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                    let is_plain = help.is_empty() && language == Language::English;
                    let id = argument.get_id();
                    assert!(is_plain || !help.is_empty() && is_right(&help), "{name} {id}: {help}");
                    count += 1;
                }
            });
            assert!(count > 40, "{count}");
        }
    }

    #[test]
    fn help_is_in_the_language_from_its_headings_to_its_last_line() {
        for line in ["--help", "-h", "help", "till add --help", "help till add", "outbox list -h"] {
            let help = read(line, Language::Chinese).unwrap_err().to_string();
            for english in ["Usage", "Options", "Arguments", "Commands", "default", "Print"] {
                assert!(!help.contains(english), "{english} in {help}");
            }
            assert!(help.contains("用法：paytill-backend"), "{help}");
            let help = read(line, Language::English).unwrap_err().to_string();
            assert!(help.contains("Usage: paytill-backend") && !is_chinese(&help), "{help}");
        }
        let help = read("till add -h", Language::Chinese).unwrap_err().to_string();
        assert!(help.contains("单笔退款上限，以元为单位（默认 0）"), "{help}");
    }

    #[test]
    fn commands_are_read_in_either_language() {
        for language in Language::ALL {
            let cli = read("till revoke S001 T01 --lang en", language).unwrap();
            assert_eq!(cli.lang, Some(Language::English));
            assert!(read("till revoke S001", language).is_err());
        }
    }
}

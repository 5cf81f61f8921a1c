//! The command line in a language: clap's structure with our texts attached, and its errors in our
//! words.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _, Error, FromArgMatches as _};

use super::Cli;
use crate::clean::clean;
use crate::language::Language;
use crate::text::cli::{self as text, Words};

/// Global options are listed below a command's own.
const GLOBAL_ORDER: usize = 900;
/// How many cells of the input an error repeats.
const TYPED: usize = 60;

impl Cli {
    /// Parses the arguments. An error is either a request for help or the version, already in the
    /// language, or to be turned into a sentence by [`wrong_usage`].
    pub fn read(arguments: &[OsString], language: Language) -> Result<Self, Error> {
        Self::from_arg_matches_mut(&mut command(language).try_get_matches_from(arguments)?)
    }
}

/// All commands with their texts in a language.
pub fn command(language: Language) -> Command {
    let mut command = Cli::command().after_help(Words::of(language).after_help());
    // Adds clap's own help options and the global ones, so that they are translated as well.
    command.build();
    dressed(command, language)
}

fn dressed(command: Command, language: Language) -> Command {
    let name = command.get_name().to_owned();
    let words = Words::of(language);
    let command = command
        .mut_subcommands(|inner| dressed(inner, language))
        .mut_args(|argument| described(argument, &name, language))
        .subcommand_help_heading(words.commands())
        .subcommand_value_name(words.command());
    let command = match text::about(&name, language) {
        Some(about) => command.about(about),
        None => command,
    };
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("[OPTIONS]", words.any_options());
    let style = *command.get_styles().get_usage();
    let heading = words.usage();
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{style}{heading}{style:#}{{usage}}\n\n\
         {{all-args}}{{after-help}}"
    );
    command.override_usage(usage).help_template(StyledStr::from(template))
}

fn described(argument: Arg, command: &str, language: Language) -> Arg {
    let words = Words::of(language);
    let id = argument.get_id().as_str().to_owned();
    let default = argument.get_default_values().first().and_then(|value| value.to_str());
    let default = default.filter(|value| !value.is_empty() && argument.get_action().takes_values());
    let default = default.map(|value| words.default_value(value)).unwrap_or_default();
    let argument =
        if argument.is_global_set() { argument.display_order(GLOBAL_ORDER) } else { argument };
    let is_positional = argument.is_positional();
    let argument = argument
        .help_heading(if is_positional { words.arguments() } else { words.options() })
        // clap would print these in English; our own texts contain them.
        .hide_default_value(true)
        .hide_possible_values(true);
    let argument = match text::help(command, &id, language) {
        Some(help) => argument.help(format!("{help}{default}")),
        None => argument,
    };
    match text::value_name(&id, language).filter(|_| argument.get_action().takes_values()) {
        Some(name) => argument.value_name(name),
        None => argument,
    }
}

/// What is wrong with the arguments, the correct usage, and where to find help.
pub fn wrong_usage(error: &Error, language: Language) -> String {
    let words = Words::of(language);
    let sentence = sentence(error, language);
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else {
        return sentence;
    };
    let usage = usage.to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let own = |word: &&str| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    let command: Vec<&str> = usage.split(' ').take_while(own).collect();
    format!("{sentence}\n{}{usage}\n{}", words.usage(), words.more(&command.join(" ")))
}

fn sentence(error: &Error, language: Language) -> String {
    let words = Words::of(language);
    let given = |kind| given(error, kind, language);
    let argument = given(ContextKind::InvalidArg);
    let value = given(ContextKind::InvalidValue);
    let near = |kind| {
        let near = given(kind);
        if near.is_empty() { near } else { words.did_you_mean(&near) }
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            words.unexpected(&argument) + &near(ContextKind::SuggestedArg)
        }
        ErrorKind::InvalidSubcommand => {
            words.unknown_command(&given(ContextKind::InvalidSubcommand))
                + &near(ContextKind::SuggestedSubcommand)
        }
        ErrorKind::InvalidValue if value.is_empty() => words.needs_value(&argument),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let allowed = allowed(&argument, language);
            words.not_for(&value, &argument) + &allowed.unwrap_or_default()
        }
        ErrorKind::MissingRequiredArgument => words.missing(&argument),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            words.missing(words.command())
        }
        ErrorKind::ArgumentConflict => match given(ContextKind::PriorArg) {
            prior if prior == argument || prior.is_empty() => words.twice(&argument),
            prior => words.not_together(&argument, &prior),
        },
        ErrorKind::TooManyValues => words.takes_no(&argument, &value),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => words.needs_value(&argument),
        ErrorKind::InvalidUtf8 => words.not_utf8().to_owned(),
        kind => words.wrong(kind.as_str().unwrap_or_default()),
    }
}

/// What an error says about its cause, cleaned for the terminal.
fn given(error: &Error, kind: ContextKind, language: Language) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => clean(text, TYPED),
        Some(ContextValue::Strings(texts)) => {
            let or = Words::of(language).or();
            let join = if kind == ContextKind::InvalidArg { " " } else { or };
            clean(&texts.join(join), 2 * TYPED)
        }
        _ => String::new(),
    }
}

/// The allowed values of the argument that an error shows like this.
fn allowed(shown: &str, language: Language) -> Option<String> {
    let commands = command(language);
    let argument = argument_of(&commands, shown)?;
    let values = text::allowed(argument.get_id().as_str(), language)?;
    Some(Words::of(language).allowed(values))
}

fn argument_of<'a>(command: &'a Command, shown: &str) -> Option<&'a Arg> {
    let own = command.get_arguments().find(|argument| argument.to_string() == shown);
    own.or_else(|| command.get_subcommands().find_map(|inner| argument_of(inner, shown)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::is_chinese;

    fn read(line: &str, language: Language) -> Result<Cli, Error> {
        let arguments: Vec<OsString> =
            std::iter::once("paytill").chain(line.split(' ')).map(OsString::from).collect();
        Cli::read(&arguments, language)
    }

    fn translated(line: &str, language: Language) -> String {
        wrong_usage(&read(line, language).unwrap_err(), language)
    }

    /// Whether this is one of our texts, not input or an identifier from the code.
    fn is_said(text: &str, language: Language) -> bool {
        text.chars().any(is_chinese) == (language == Language::Chinese) && !text.is_empty()
    }

    /// Calls `see` for every command.
    fn walk(command: &Command, see: &mut impl FnMut(&Command)) {
        see(command);
        command.get_subcommands().for_each(|inner| walk(inner, see));
    }

    #[test]
    fn every_command_and_argument_is_described_in_every_language() {
        for language in Language::ALL {
            let mut count = 0;
            walk(&command(language), &mut |command| {
                let name = command.get_name();
                let about = text::about(name, language).unwrap_or_else(|| panic!("{name}"));
                assert!(is_said(about, language), "{name}: {about}");
                assert_eq!(command.get_about().unwrap().to_string(), about);
                for argument in command.get_arguments() {
                    let id = argument.get_id().as_str();
                    let help = text::help(name, id, language);
                    let help = help.unwrap_or_else(|| panic!("{name} {id}"));
                    let is_names_alone = id == "shell" && language == Language::Chinese;
                    assert!(is_names_alone || is_said(help, language), "{name} {id}: {help}");
                    assert!(argument.get_help().unwrap().to_string().starts_with(help));
                    if argument.get_action().takes_values() {
                        let value = text::value_name(id, language);
                        assert!(value.is_some_and(|value| is_said(value, language)), "{name} {id}");
                    }
                    count += 1;
                }
            });
            assert!(count > 40, "{count}");
        }
    }

    #[test]
    fn every_invalid_value_is_reported_with_what_is_allowed() {
        let mut refused = 0;
        let mut lines = Vec::new();
        walk(&command(Language::English), &mut |command| {
            let name = command.get_name();
            for argument in command.get_arguments().filter(|argument| {
                argument.get_action().takes_values() && name != "paytill" && name != "help"
            }) {
                let option = argument.get_long().map(|long| format!("--{long} "));
                lines.push(format!("{name} {}?!", option.unwrap_or_default()));
            }
        });
        for (line, language) in
            lines.iter().flat_map(|line| Language::ALL.map(|language| (line, language)))
        {
            let Err(error) = read(line, language) else { continue };
            if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
                let sentence = wrong_usage(&error, language);
                let allowed = language.pick("; allowed is ", "；只能是");
                assert!(
                    sentence.contains("\"?!\"") && sentence.contains(allowed),
                    "{line}: {sentence}"
                );
                refused += 1;
            }
        }
        assert!(refused > 30, "{refused}");
    }

    #[test]
    fn a_line_that_makes_no_sense_is_reported_in_the_language_with_its_usage() {
        let usage = "用法：paytill pay [选项] --code <付款码> <金额>\n更多说明：paytill pay --help";
        for (line, sentence) in [
            ("pay", "缺少：--code <付款码> <金额>"),
            ("pay 1 2 --code 3", "多余或无法识别的参数 2"),
            ("pay 1 --code 3 --jsno", "多余或无法识别的参数 --jsno；是否想用 --json？"),
            ("pay 1 --code 3 --json=1", "--json 不接受 \"1\""),
            ("pay 1 --code 3 --note a --note b", "--note <备注> 重复出现"),
        ] {
            assert_eq!(
                translated(line, Language::Chinese),
                format!("{sentence}\n{usage}"),
                "{line}"
            );
        }
        for (line, sentence) in [
            ("order", "没有名为 order 的命令；是否想用 orders？"),
            ("orders --limit", "--limit <数量> 后面缺少值"),
            ("operators", "缺少：命令"),
            ("operators ad", "没有名为 ad 的命令；是否想用 add？"),
            ("operators add Anna", "缺少：--role <权限>"),
            (
                "operators add Anna --role boss",
                "\"boss\" 不能用于 --role <权限>；只能是 cashier 或 manager",
            ),
            ("orders --limit many", "\"many\" 不能用于 --limit <数量>；只能是整数"),
        ] {
            let error = translated(line, Language::Chinese);
            assert_eq!(error.lines().next(), Some(sentence), "{line}");
        }
        assert_eq!(
            translated("pay 1 --code 3 --jsno", Language::English),
            "unexpected argument --jsno; did you mean --json?\n\
             Usage: paytill pay [OPTIONS] --code <AUTH_CODE> <AMOUNT>\nMore: paytill pay --help"
        );
        assert!(!translated("pay 1 --code 3 \u{1b}[2J", Language::Chinese).contains('\u{1b}'));
    }

    #[test]
    fn help_is_in_the_language_from_its_headings_to_its_last_line() {
        let help = |line| read(line, Language::Chinese).unwrap_err().to_string();
        let all = help("--help");
        for line in [
            "终端里的收银机：扫微信付款码收款",
            "用法：paytill [选项] [命令]",
            "命令:",
            "  pay            不打开收银界面，收一笔款",
            "选项:",
            "      --lang <语言>       界面语言：zh-CN 或 en",
            "  -h, --help              显示帮助",
            "  -V, --version           显示版本",
        ] {
            assert!(all.lines().any(|shown| shown == line), "{line}\n{all}");
        }
        assert!(all.trim_end().ends_with("13 账单不符"));
        let of_pay = help("help pay");
        assert_eq!(of_pay, help("pay --help"));
        assert!(of_pay.contains("用法：paytill pay [选项] --code <付款码> <金额>"), "{of_pay}");
        let simulator = help("simulator -h");
        assert!(simulator.contains("端口（默认 127.0.0.1:8443）"), "{simulator}");
        for english in ["Usage", "Options", "Print", "default", "possible"] {
            for text in [&all, &of_pay, &simulator, &help("completions -h")] {
                assert!(!text.contains(english), "{english}: {text}");
            }
        }
    }

    #[test]
    fn a_day_is_a_date_or_a_word() {
        let day = |line| match read(line, Language::English).unwrap().command {
            Some(crate::cli::Command::Orders(orders)) => orders.day.unwrap(),
            other => panic!("{other:?}"),
        };
        let today = jiff::civil::date(2026, 3, 1);
        for (line, expected) in [
            ("orders --day today", "2026-03-01"),
            ("orders --day yesterday", "2026-02-28"),
            ("orders --day 昨天", "2026-02-28"),
            ("orders --day 2026-01-31", "2026-01-31"),
        ] {
            assert_eq!(day(line).from_today(today).to_string(), expected, "{line}");
        }
        assert!(read("orders --day tomorrow", Language::English).is_err());
    }
}

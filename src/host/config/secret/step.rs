//! What to do next about a secret: a command to paste, and what to write into the configuration.

use std::path::{Path, PathBuf};

use super::form::Form;
use super::{Of, public, shown};
use paytill_core::clean::clean;
use paytill_core::language::Text;
use paytill_core::{both, say};

/// A command for a shell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Command(pub String);

/// A line of the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line(String);

/// The next step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    Write(Vec<Line>),
    Run(Command, Asks, Vec<Line>),
    /// The command waits for the `APIv2` key to be pasted.
    Paste(Command, Option<Line>),
    /// A file of this name has to come from the platform first.
    Put(&'static str, Line),
}

/// What a command asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asks {
    Nothing,
    Password,
    /// Old files take a further option.
    OldPassword,
}

impl Line {
    pub(super) fn of(of: Of, path: &Path) -> Self {
        let path = clean(&path.display().to_string(), usize::MAX);
        let path = path.replace('\\', "\\\\").replace('"', "\\\"");
        Self(format!("{} = \"{path}\"", of.setting()))
    }
}

impl Step {
    /// To have another file in place of one that is not what it should be.
    pub(super) fn instead_of(path: &Path, of: Of) -> Self {
        match of {
            Of::ApiKey => {
                let file = path.with_extension("apiv2.key");
                Self::Paste(pasted(&file), Some(Line::of(of, &file)))
            }
            Of::Certificate | Of::Key | Of::Roots => {
                let name = of.usual_name();
                let to_put = || Self::Put(name, Line::of(of, &path.with_file_name(name)));
                beside(path, of).map_or_else(to_put, |file| Self::Write(vec![Line::of(of, &file)]))
            }
        }
    }

    /// Certificate and key that a file contains: those that lie beside it, or what a command takes
    /// out of it.
    pub(super) fn both_out_of(
        path: &Path,
        run: impl FnOnce(&str, &Path, &Path) -> (String, Asks),
        (certificate, key): (PathBuf, PathBuf),
    ) -> Self {
        let lines = |certificate: &Path, key: &Path| {
            vec![Line::of(Of::Certificate, certificate), Line::of(Of::Key, key)]
        };
        if let (Some(certificate), Some(key)) =
            (beside(path, Of::Certificate), beside(path, Of::Key))
        {
            return Self::Write(lines(&certificate, &key));
        }
        let (run, asks) = run(&shown(path), &certificate, &key);
        Self::Run(Command(run), asks, lines(&certificate, &key))
    }

    /// The rest of a sentence, behind a semicolon.
    pub(super) fn text(&self) -> Text {
        match self {
            Self::Write(lines) => {
                let write = write(lines);
                Text::each(|language| {
                    let write = write.in_language(language);
                    say!(language, "{write}", "请{write}")
                })
            }
            Self::Run(Command(run), asks, lines) => {
                let run = match asks {
                    Asks::Nothing => both!("run: {run}", "请运行：{run}"),
                    Asks::Password => both!(
                        "run: {run} (it asks for the password, at first the merchant number)",
                        "请运行：{run} （会询问密码，初始为商户号）"
                    ),
                    Asks::OldPassword => both!(
                        "run: {run} (the password is at first the merchant number; if it is \
                         unsupported, add -legacy)",
                        "请运行：{run} （密码初始为商户号；如提示 unsupported，请加 -legacy）"
                    ),
                };
                if lines.is_empty() { run } else { and(&run, &write(lines)) }
            }
            Self::Paste(Command(run), line) => {
                let paste = both!(
                    "run: {run} and paste the key alone, then Enter and Ctrl-D",
                    "请运行：{run} 只粘贴密钥，再按回车和 Ctrl-D"
                );
                match line {
                    Some(line) => and(&paste, &write(std::slice::from_ref(line))),
                    None => paste,
                }
            }
            Self::Put(name, line) => {
                let put = both!(
                    "put {name} from the platform's zip into its folder",
                    "请把商户平台压缩包中的 {name} 放到同一目录"
                );
                and(&put, &write(std::slice::from_ref(line)))
            }
        }
    }
}

fn write(lines: &[Line]) -> Text {
    Text::each(|language| {
        let lines: Vec<_> = lines.iter().map(|Line(line)| line.as_str()).collect();
        let lines = lines.join(language.pick(" and ", " 和 "));
        say!(language, "write {lines}", "在配置中写 {lines}")
    })
}

fn and(first: &Text, second: &Text) -> Text {
    Text::each(|language| {
        let (first, second) = (first.in_language(language), second.in_language(language));
        // What is pasted ends with a blank.
        let gap = if first.ends_with(|letter: char| letter.is_ascii()) { " " } else { "" };
        say!(language, "{first} and {second}", "{first}{gap}，再{second}")
    })
}

/// A command that writes what is pasted, for its owner alone.
pub(super) fn pasted(file: &Path) -> Command {
    Command(format!("(umask 077; cat > {})", shown(file)))
}

/// What the platform hands out with it, under its usual name in the same folder.
pub(super) fn beside(path: &Path, of: Of) -> Option<PathBuf> {
    let file = path.with_file_name(of.usual_name());
    let is_itself = file == path;
    let bytes = public(&file).ok().filter(|_| !is_itself)?;
    let wanted = match of {
        Of::Certificate | Of::Roots => Form::Certificate,
        Of::Key => Form::PrivateKey,
        Of::ApiKey => Form::ApiKey,
    };
    (Form::of(&bytes) == wanted).then_some(file)
}

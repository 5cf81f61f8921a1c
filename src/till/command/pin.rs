//! A PIN from whoever is at the terminal, without an echo, or a line from standard input.

use std::io::IsTerminal as _;

use rustix::io::Errno;
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::output::print_prompt;
use super::{Exit, Failure};
use crate::both;
use crate::config::Config;
use crate::engine::By;
use crate::language::{Language, Text};
use crate::operators::{self, NotAPin, Operator, Operators, Pin, Role};
use crate::text::operators::{OperatorsWords, nobodys_pin, not_a_manager, not_a_pin, pins_differ};

/// Far more than any PIN; the rest of a line is no part of one.
const LINE: usize = 128;

/// A new PIN: asked for twice on a terminal.
pub(super) fn choose(language: Language) -> Result<Pin, Failure> {
    let words = OperatorsWords::of(language);
    let pin = Pin::choose(&line(words.pin())?).map_err(refused)?;
    if std::io::stdin().is_terminal() && Pin::read(&line(words.pin_again())?) != Ok(pin.clone()) {
        return Err(Failure::new(Exit::Usage, pins_differ()));
    }
    Ok(pin)
}

/// Whoever it is, by the PIN.
pub(super) fn operator(config: &Config) -> Result<Operator, Failure> {
    let all = Operators::read(&operators::path(&config.journal.path))?;
    let words = OperatorsWords::of(config.till.language);
    let pin = Pin::read(&line(words.your_pin())?).map_err(refused)?;
    all.who(&pin).cloned().ok_or_else(|| Failure::new(Exit::Usage, nobodys_pin()))
}

/// The manager who does what a cashier may not, by the PIN; `None` where nobody signs in.
pub(super) fn manager(config: &Config) -> Result<Option<By>, Failure> {
    let all = Operators::read(&operators::path(&config.journal.path))?;
    if all.is_empty() {
        return Ok(None);
    }
    let words = OperatorsWords::of(config.till.language);
    let pin = Pin::read(&line(words.manager_pin())?).map_err(refused)?;
    match all.who(&pin) {
        Some(Operator { name, role: Role::Manager }) => {
            Ok(Some(By { operator: name.clone(), consent: None }))
        }
        Some(Operator { .. }) | None => Err(Failure::new(Exit::Usage, not_a_manager())),
    }
}

fn refused(why: NotAPin) -> Failure {
    Failure::new(Exit::Usage, not_a_pin(why))
}

/// A line as it is typed, or as it comes.
fn line(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let fault = |error: Errno| {
        let what: Text = both!("the PIN cannot be read", "无法读取密码");
        Failure::of_system(&what, &error.into())
    };
    let _silence = if std::io::stdin().is_terminal() {
        print_prompt(prompt);
        Some(Silence::begin().map_err(fault)?)
    } else {
        None
    };
    let mut bytes = Zeroizing::new([0_u8; LINE]);
    let mut length = 0;
    while length < LINE {
        match rustix::io::read(stdin(), &mut bytes[length..=length]) {
            Ok(0) => break,
            Ok(_) if bytes[length] == b'\n' => break,
            Ok(_) => length += 1,
            Err(Errno::INTR) => {}
            Err(error) => return Err(fault(error)),
        }
    }
    let text = std::str::from_utf8(&bytes[..length]).map_err(|_| refused(NotAPin::NotDigits))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Nothing that is typed is shown, until it is dropped. Ctrl-C is a character meanwhile, and no PIN:
/// a signal would leave the terminal silent.
struct Silence(Termios);

impl Silence {
    fn begin() -> Result<Self, Errno> {
        let before = tcgetattr(stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}

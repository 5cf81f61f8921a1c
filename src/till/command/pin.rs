//! A PIN from whoever is at the terminal, without an echo, or a line from standard input.

use std::io::ErrorKind;

use zeroize::Zeroizing;

use super::output::print_prompt;
use super::{Exit, Failure};
use crate::both;
use crate::config::Config;
use crate::engine::By;
use crate::language::Language;
use crate::operators::{self, NotAPin, Operator, Operators, Pin, Role};
use crate::text::operators::{OperatorsWords, nobodys_pin, not_a_manager, not_a_pin, pins_differ};
use paytill_host::typed;

/// A new PIN: asked for twice on a terminal.
pub(super) fn choose(language: Language) -> Result<Pin, Failure> {
    let words = OperatorsWords::of(language);
    let pin = Pin::choose(&line(words.pin())?).map_err(refused)?;
    if typed::is_terminal() && Pin::read(&line(words.pin_again())?) != Ok(pin.clone()) {
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
    typed::line(|| print_prompt(prompt)).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => refused(NotAPin::NotDigits),
        _ => Failure::of_system(&both!("the PIN cannot be read", "无法读取密码"), &error),
    })
}

//! `paytill operators`: who works at the till.

use serde_json::json;

use super::output::{print_line, print_lines, print_message};
use super::{Exit, Failure, pin};
use crate::cli::OperatorsCommand;
use crate::config::Config;
use crate::operators::{self, Cost, Operator, Operators, OperatorsError};
use crate::text::operators::OperatorsWords;

/// Adds, lists or removes.
pub fn run(what: OperatorsCommand, config: &Config) -> Result<Exit, Failure> {
    let words = OperatorsWords::of(config.till.language);
    let path = operators::path(&config.journal.path);
    match what {
        OperatorsCommand::List(json) => {
            let all = Operators::read(&path)?;
            if all.is_empty() && !json.json {
                print_message(words.nobody());
            }
            let lines: Vec<String> = all
                .iter()
                .map(|Operator { name, role }| {
                    if json.json {
                        json!({ "name": name, "role": role.word() }).to_string()
                    } else {
                        format!("{}  {name}", words.role(*role))
                    }
                })
                .collect();
            Ok(if print_lines(&lines) { Exit::Done } else { Exit::Fault })
        }
        OperatorsCommand::Add { name, role } => {
            let name = operators::name(&name).ok_or(OperatorsError::NotAName)?;
            // Before somebody has thought of a PIN; meanwhile the list may change.
            Operators::read(&path)?.may_add(&name, role)?;
            let pin = pin::choose(config.till.language)?;
            let is_first = Operators::change(&path, |all| {
                let is_first = all.is_empty();
                all.add(Operator { name: name.clone(), role }, &pin, Cost::USUAL)?;
                Ok(is_first)
            })?;
            tracing::info!(name, role = role.word(), "an operator was added");
            print_line(&words.added(&name, words.role(role)));
            if is_first {
                print_message(words.first());
            }
            Ok(Exit::Done)
        }
        OperatorsCommand::Remove { name } => {
            let (Operator { name, .. }, is_last) = Operators::change(&path, |all| {
                let removed = all.remove(&name)?;
                Ok((removed, all.is_empty()))
            })?;
            tracing::info!(name, "an operator was removed");
            print_line(&words.removed(&name));
            print_message(if is_last { words.last() } else { words.out_soon() });
            Ok(Exit::Done)
        }
    }
}

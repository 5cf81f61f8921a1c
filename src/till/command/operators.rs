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
    let mut all = Operators::read(&path)?;
    match what {
        OperatorsCommand::List(json) => {
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
            all.may_add(&name, role)?;
            let pin = pin::choose(config.till.language)?;
            let is_first = all.is_empty();
            all.add(Operator { name: name.clone(), role }, &pin, Cost::USUAL)?;
            all.write(&path)?;
            tracing::info!(name, role = role.word(), "an operator was added");
            print_line(&words.added(&name, words.role(role)));
            if is_first {
                print_message(words.first());
            }
            Ok(Exit::Done)
        }
        OperatorsCommand::Remove { name } => {
            let Operator { name, .. } = all.remove(&name)?;
            all.write(&path)?;
            tracing::info!(name, "an operator was removed");
            print_line(&words.removed(&name));
            if all.is_empty() {
                print_message(words.last());
            }
            Ok(Exit::Done)
        }
    }
}

//! `paytill-backend admin`: who may see the owner's page.

use clap::Subcommand;

use paytill_core::both;
use paytill_core::clean::clean;
use paytill_core::language::Language;
use paytill_host::{random, typed};

use super::open::{Books, no_randomness};
use super::{print_line, print_message};
use crate::exit::{Exit, Failure};
use crate::pages::password::{Cost, LONGEST, SHORTEST};
use crate::store::AdminRow;

/// The longest name, in cells.
const NAME: usize = 32;

/// `paytill-backend admin`
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Let somebody see the owner's page. The password is asked for, or read from standard input.
    Add { name: String },
    /// All who may see it.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Let somebody see it no longer, from this moment on.
    Remove { name: String },
}

pub(super) async fn run(
    books: &Books<'_>,
    command: &AdminCommand,
    language: Language,
) -> Result<Exit, Failure> {
    match command {
        AdminCommand::Add { name } => add(books, name, language).await,
        AdminCommand::List { json } => list(books, *json).await,
        AdminCommand::Remove { name } => remove(books, name, language).await,
    }
}

async fn add(books: &Books<'_>, name: &str, language: Language) -> Result<Exit, Failure> {
    if name.is_empty() || clean(name, NAME) != name {
        return Err(Failure::usage(both!(
            "a name is 1 to {NAME} characters",
            "名字为 1 至 {NAME} 个字符"
        )));
    }
    let store = books.ready().await?;
    if store.admin(&books.merchant(), name).await?.is_some() {
        return Err(taken(name));
    }
    let password = line(language.pick("password: ", "密码："))?;
    if typed::is_terminal() {
        let again = line(language.pick("once more: ", "再输一次："))?;
        if *again != *password {
            return Err(Failure::usage(both!("the two passwords differ", "两次输入的密码不一致")));
        }
    }
    let salt = random::draw().ok_or_else(no_randomness)?;
    let now = books.clock.wall();
    let row = AdminRow::new(name, &password, (salt, Cost::default()), now).ok_or_else(|| {
        Failure::usage(both!(
            "a password is {SHORTEST} to {LONGEST} characters",
            "密码为 {SHORTEST} 至 {LONGEST} 个字符"
        ))
    })?;
    if !store.add_admin(&books.merchant(), row, books.by()).await? {
        return Err(taken(name));
    }
    let url = match &books.config.public_url {
        Some(url) => url.clone(),
        None => format!("https://{}", books.config.web.address),
    };
    let done = both!("{name} can log in at {url}/admin", "{name} 可在 {url}/admin 登录");
    print_message(done.in_language(language));
    Ok(Exit::Done)
}

async fn list(books: &Books<'_>, json: bool) -> Result<Exit, Failure> {
    for admin in books.ready().await?.admins(&books.merchant()).await? {
        let created_at = admin.created_at.to_rfc3339();
        if json {
            let object = serde_json::json!({ "name": admin.name, "created_at": created_at });
            print_line(&object.to_string());
        } else {
            print_line(&format!("{created_at}  {}", admin.name));
        }
    }
    Ok(Exit::Done)
}

async fn remove(books: &Books<'_>, name: &str, language: Language) -> Result<Exit, Failure> {
    if !books.ready().await?.remove_admin(&books.merchant(), name, books.by()).await? {
        let name = clean(name, NAME);
        return Err(Failure::usage(both!("there is no {name}", "没有 {name}")));
    }
    print_message(language.pick("removed, and logged out", "已删除，并已退出登录"));
    Ok(Exit::Done)
}

fn line(prompt: &str) -> Result<zeroize::Zeroizing<String>, Failure> {
    typed::line(|| super::print_prompt(prompt)).map_err(|error| {
        let what = both!("the password cannot be read", "无法读取密码");
        Failure::new(Exit::Fault, what.because(&paytill_core::text::system::text(&error)))
    })
}

fn taken(name: &str) -> Failure {
    Failure::usage(both!(
        "there is a {name} already; for a new password remove it first",
        "已有 {name}；如需更换密码，请先删除"
    ))
}

//! `paytill-backend till`: who may speak for a store.

use paytill_core::clean::clean;
use paytill_core::clock::{Millis, Timestamp};
use paytill_core::gateway::backend::enrolment::{Code, comparison};
use paytill_core::gateway::backend::message::Rights;
use paytill_core::language::Language;
use paytill_core::money::{AmountEntry, Money};
use paytill_core::order::TillId;
use paytill_core::{both, say};
use paytill_host::random;

use super::open::{Books, no_randomness};
use super::{AddTill, print_line, print_message};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::store::{EnrolmentRow, TillRow};

/// How long a code may be used.
const LIVES: Millis = Millis::seconds(15 * 60);

pub(super) async fn add(
    books: &Books<'_>,
    add: &AddTill,
    language: Language,
) -> Result<Exit, Failure> {
    let till = TillId::new(&add.till).ok_or_else(|| {
        Failure::usage(both!(
            "a till's id is 1 to 8 letters, digits, _ or -",
            "收银台编号为 1 至 8 个字母、数字、_ 或 -"
        ))
    })?;
    let store = store(&add.store)?;
    let rights = Rights {
        charge: !add.no_charge,
        qr: !add.no_qr && !add.no_charge,
        refund_up_to: amount(books, &add.refund_up_to)?,
        refund_per_day: amount(books, &add.refund_per_day)?,
    };
    let code = Code::from_random(&random::draw().ok_or_else(no_randomness)?);
    let now = books.clock.wall();
    let row = EnrolmentRow {
        code: code.name(),
        kept: code.kept().to_vec(),
        till: till.as_str().to_owned(),
        expires_at: now.after(LIVES),
    };
    let expires_at = row.expires_at.to_rfc3339();
    let opened = books.ready().await?;
    opened.add_till(&books.merchant(), &store, rights, row, books.by()).await?;
    if add.json {
        print_line(
            &serde_json::json!({ "code": code.shown().as_str(), "expires_at": expires_at })
                .to_string(),
        );
        return Ok(Exit::Done);
    }
    let url = match &books.config.public_url {
        Some(url) => url.clone(),
        None => format!("https://{}", books.config.tills),
    };
    print_line(&code.shown());
    print_message(&say!(
        language,
        "on the till, within 15 minutes: paytill enroll {url} {code}",
        "请在 15 分钟内于收银台运行：paytill enroll {url} {code}",
        code = code.shown().as_str()
    ));
    Ok(Exit::Done)
}

pub(super) async fn list(
    books: &Books<'_>,
    json: bool,
    language: Language,
) -> Result<Exit, Failure> {
    let tills = books.ready().await?.tills(&books.merchant()).await?;
    let ours = files::signing_key(&books.config.folder)?.0.public();
    for till in tills {
        let comparison = till.key.map(|key| comparison(&key, &ours));
        if json {
            print_line(&object(&till, comparison.as_deref()).to_string());
            continue;
        }
        let state = match (&till.key, till.revoked_at) {
            (_, Some(_)) => language.pick("revoked", "已停用"),
            (None, None) => language.pick("not enrolled yet", "尚未登记"),
            (Some(_), None) => language.pick("enrolled", "已登记"),
        };
        let heard = till.last_seen_at.map_or_else(|| "-".to_owned(), Timestamp::to_rfc3339);
        let (store, id) = (&till.store, &till.till);
        let comparison = comparison.unwrap_or_else(|| "-".to_owned());
        print_line(&format!("{store}  {id}  {state}  {comparison}  {heard}"));
    }
    Ok(Exit::Done)
}

fn object(till: &TillRow, comparison: Option<&str>) -> serde_json::Value {
    serde_json::json!({
        "store": till.store,
        "till": till.till,
        "rights": till.rights,
        "enrolled_at": till.enrolled_at.map(Timestamp::to_rfc3339),
        "revoked_at": till.revoked_at.map(Timestamp::to_rfc3339),
        "last_heard_at": till.last_seen_at.map(Timestamp::to_rfc3339),
        "version": till.program,
        "comparison": comparison,
    })
}

pub(super) async fn revoke(
    books: &Books<'_>,
    store: &str,
    till: &str,
    language: Language,
) -> Result<Exit, Failure> {
    let opened = books.ready().await?;
    let known = opened.till(&books.merchant(), till).await?;
    if known.is_none_or(|known| known.store != store) {
        let (store, till) = (clean(store, 32), clean(till, 8));
        return Err(Failure::usage(both!(
            "store {store} has no till {till}",
            "门店 {store} 没有收银台 {till}"
        )));
    }
    opened.revoke(&books.merchant(), till, books.by()).await?;
    print_message(
        language.pick("revoked; what it has open still ends", "已停用；未完成的支付仍会处理完毕"),
    );
    Ok(Exit::Done)
}

fn store(text: &str) -> Result<String, Failure> {
    let store = clean(text, 32);
    if !store.is_empty() && store == text && store.len() <= 32 {
        return Ok(store);
    }
    Err(Failure::usage(both!("a store's id is 1 to 32 characters", "门店编号为 1 至 32 个字符")))
}

fn amount(books: &Books<'_>, text: &str) -> Result<i64, Failure> {
    if text.trim_matches('0').is_empty() {
        return Ok(0);
    }
    let amount = books.config.currency.read(text, AmountEntry::Major);
    amount.map(Money::minor).map_err(|_| {
        let text = clean(text, 20);
        Failure::usage(both!("{text} is not an amount", "{text} 不是金额"))
    })
}

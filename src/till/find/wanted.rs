//! What a text can mean: a number, the end of one, an amount, a time or a state.

use jiff::civil::{Date, DateTime, Time};

use crate::clock::{TimeZone, Timestamp};
use crate::journal::OrderRow;
use crate::language::Language;
use crate::money::{AmountEntry, Currency, Money};
use crate::order::{OutTradeNo, TillId};
use crate::payment::Status;
use crate::scan::Scan;
use crate::text::screen::ScreenWords;

/// Fewer last digits would fit too many orders.
const SHORTEST_TAIL: usize = 4;
const LONGEST_NUMBER: usize = 32;
/// Fewer are an end of a number and not the whole.
const SHORTEST_NUMBER: usize = 12;
/// A customer's page has the minute of the payment, which follows that of the order.
const MINUTE: i64 = 60_000;

/// How a till reads what is sought.
#[derive(Clone, Debug)]
pub struct Terms {
    pub till: TillId,
    pub currency: Currency,
    pub entry: AmountEntry,
}

/// Everything that a text can mean at once. Nothing at all: the latest orders.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wanted {
    /// A whole order number, of this till or not.
    pub number: Option<OutTradeNo>,
    /// The gateway's whole number.
    pub transaction: Option<String>,
    /// The last characters of either.
    pub tail: Option<String>,
    pub amount: Option<Money>,
    pub time: Option<(Option<Date>, Time)>,
    pub status: Option<Status>,
}

impl Wanted {
    /// `None` for a code that stands for money or may be a part of one, and for what can be nothing
    /// of all this.
    pub fn read(text: &str, terms: &Terms) -> Option<Self> {
        let plain: String = text.chars().map(narrow).collect();
        let plain = plain.trim();
        let mut wanted = match Scan::name(text, &terms.till) {
            Scan::Payment(_) | Scan::OtherWallet(_) | Scan::ReceiveCode | Scan::Odd(_) => {
                return None;
            }
            Scan::OwnReceipt(number) => return Some(Self::of(number)),
            Scan::Transaction(number) => return Some(Self::of_transaction(number)),
            Scan::Goods(_) | Scan::Noise => Self::default(),
        };
        let is_of_number = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (SHORTEST_TAIL..=LONGEST_NUMBER).contains(&plain.len())
            && plain.bytes().all(is_of_number)
            && plain.bytes().any(|byte| byte.is_ascii_digit())
        {
            wanted.tail = Some(plain.to_owned());
            if plain.len() >= SHORTEST_NUMBER {
                wanted.number = OutTradeNo::try_from(plain.to_owned()).ok();
            }
        }
        let amount = plain.trim_start_matches(['￥', '¥']).trim_end_matches('元').replace(',', "");
        let entry = if amount == plain { terms.entry } else { AmountEntry::Major };
        wanted.amount = terms.currency.read(amount.trim(), entry).ok();
        wanted.time = time(plain);
        wanted.status = status(plain);
        (wanted != Self::default()).then_some(wanted)
    }

    /// An order by its whole number.
    pub fn of(number: OutTradeNo) -> Self {
        Self { number: Some(number), ..Self::default() }
    }

    /// The order of a transaction.
    pub fn of_transaction(number: String) -> Self {
        Self { tail: Some(number.clone()), transaction: Some(number), ..Self::default() }
    }

    /// Whether an order is of this amount, or was charged at this time.
    pub(super) fn fits(&self, row: &OrderRow, zone: &TimeZone) -> bool {
        let paid_at = row.state.proof().map(|proof| proof.paid_at);
        let moments = [Some(row.created_at), paid_at];
        let at_the_time = self.time.is_some_and(|(date, time)| {
            let is_it = |at: Timestamp| {
                let local = at.local("%H:%M", zone);
                local == format!("{:02}:{:02}", time.hour(), time.minute())
                    && date.is_none_or(|date| at.day(zone) == date)
            };
            let or_a_minute_later = |at: Timestamp| is_it(at) || is_it(Timestamp(at.0 + MINUTE));
            moments.into_iter().flatten().any(or_a_minute_later)
        });
        self.amount == Some(row.amount) || at_the_time
    }
}

/// A full-width character as ASCII.
fn narrow(letter: char) -> char {
    match letter {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        other => other,
    }
}

/// `14:32` or `9:05`, with or without seconds, and with or without a day before it.
fn time(text: &str) -> Option<(Option<Date>, Time)> {
    let (day, clock) = match text.rsplit_once([' ', 'T']) {
        Some((day, clock)) => (Some(day.trim()), clock),
        None => (None, text),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let is_clock = (2..=3).contains(&parts.len())
        && parts.iter().all(|part| {
            (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        });
    if !is_clock {
        return None;
    }
    let number = |at: usize| parts.get(at).map_or(Some(0), |part| part.parse::<i8>().ok());
    let time = Time::new(number(0)?, number(1)?, number(2)?, 0).ok()?;
    match day {
        None => Some((None, time)),
        // As a customer's page writes it, too.
        Some(day) => {
            let day = day.replace(['/', '年', '月'], "-").replace('日', "");
            let date = DateTime::strptime("%Y-%m-%d %H:%M", format!("{day} 00:00")).ok()?;
            Some((Some(date.date()), time))
        }
    }
}

fn status(text: &str) -> Option<Status> {
    let is_named = |status: &Status| {
        let words = Language::ALL.map(|language| ScreenWords::of(language).word(*status));
        status.word().eq_ignore_ascii_case(text)
            || words.iter().any(|word| word.eq_ignore_ascii_case(text))
    };
    Status::ALL.into_iter().find(is_named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let till = TillId::new("T01").unwrap();
        Terms { till, currency: Currency::CNY, entry: AmountEntry::Major }
    }

    fn wanted(text: &str) -> Option<Wanted> {
        Wanted::read(text, &terms())
    }

    #[test]
    fn a_text_means_all_that_it_can() {
        let digits = wanted("1234").unwrap();
        assert_eq!(digits.tail.as_deref(), Some("1234"));
        assert_eq!(digits.amount, Some(Money::from_minor(123_400)));
        assert_eq!((digits.number, digits.time, digits.status), (None, None, None));
        let amount = wanted("12.5").unwrap();
        assert_eq!((amount.amount, amount.tail), (Some(Money::from_minor(1250)), None));
        for same in ["￥1,234.50", "¥1234.5", "1234.50元", "１２３４.５０"] {
            assert_eq!(wanted(same).unwrap().amount, Some(Money::from_minor(123_450)), "{same}");
        }
        assert_eq!(wanted("345").unwrap().tail, None);
        for paid in ["paid", "PAID", "支付成功"] {
            assert_eq!(wanted(paid).unwrap().status, Some(Status::Paid), "{paid}");
        }
    }

    #[test]
    fn a_whole_number_is_looked_for_as_one_whoever_gave_it_out() {
        let transaction = "4200001234202611220123456789";
        let found = wanted(transaction).unwrap();
        assert_eq!(found.transaction.as_deref(), Some(transaction));
        assert_eq!(found.number, None);
        let other = wanted(" X9-20261122-000345 ").unwrap();
        assert_eq!(other.number.unwrap().as_str(), "X9-20261122-000345");
        let till = terms().till;
        let ours = format!("{}112203300089345607", till.as_str());
        let number = wanted(&format!("]C1{ours}\r")).unwrap().number.unwrap();
        assert_eq!(number.as_str(), ours);
    }

    #[test]
    fn a_time_is_a_minute_of_any_day_or_of_one() {
        let at = |hour, minute| jiff::civil::time(hour, minute, 0, 0);
        assert_eq!(wanted("14:32").unwrap().time, Some((None, at(14, 32))));
        assert_eq!(wanted("9：05").unwrap().time, Some((None, at(9, 5))));
        let day = Some(jiff::civil::date(2026, 11, 22));
        for text in ["2026-11-22 14:32", "2026/11/22 14:32", "2026年11月22日 14:32"] {
            assert_eq!(wanted(text).unwrap().time, Some((day, at(14, 32))), "{text}");
        }
        for wrong in ["25:00", "12:60", "12:", ":", "a:b", "12:00:00:00", "2026-13-01 12:00"] {
            assert!(wanted(wrong).is_none_or(|wanted| wanted.time.is_none()), "{wrong}");
        }
    }

    #[test]
    fn codes_that_stand_for_money_are_not_searched_for() {
        let code = "134567890123456789";
        let odd = [format!("Q{code}"), format!("{code}{code}"), code[..11].to_owned()];
        for code in [code, "2812345678901234", "wxp://f2f0abcdef", "", " ", "?!"]
            .into_iter()
            .chain(odd.iter().map(String::as_str))
        {
            assert_eq!(wanted(code), None, "{code}");
        }
    }
}

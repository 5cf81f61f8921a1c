//! The till's languages, and the one way to write text for people: in all of them at once, side by
//! side, so that a sentence without its translation does not compile.
//!
//! * [`Language::pick`] chooses between fixed texts.
//! * [`say!`](crate::say) fills in values.
//! * [`catalogue!`](crate::catalogue) makes a table of both.
//! * [`Text`] holds a text whose reader is not known yet.

use std::fmt;

use serde::Deserialize;

/// The languages of the till.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
pub enum Language {
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::English];

    /// The language of a tag: `zh-CN` or `en`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag {
            "zh-CN" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// Whichever of two texts is in this language.
    pub const fn pick<T: Copy>(self, english: T, chinese: T) -> T {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

/// A text in every language: an error is made before anyone knows who will read it.
///
/// Made by [`both!`](crate::both); displayed in English where no reader is known, as in a log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Text {
    english: String,
    chinese: String,
}

impl Text {
    /// The text in English and in Chinese.
    pub const fn new(english: String, chinese: String) -> Self {
        Self { english, chinese }
    }

    /// What a function returns for each language.
    pub fn each(say: impl Fn(Language) -> String) -> Self {
        Self::new(say(Language::English), say(Language::Chinese))
    }

    /// The text with the same change in each language, such as a place put before it.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self::new(change(&self.english), change(&self.chinese))
    }

    /// The text, a colon, and the reason for it.
    #[must_use]
    pub fn because(&self, why: &Self) -> Self {
        Self::new(
            format!("{}: {}", self.english, why.english),
            format!("{}：{}", self.chinese, why.chinese),
        )
    }

    /// The text in one language.
    pub fn in_language(&self, language: Language) -> &str {
        language.pick(&self.english, &self.chinese)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

/// Formats a text with values in one language: `say!(language, "in {n} s", "{n} 秒后")`.
#[macro_export]
macro_rules! say {
    ($language:expr, $english:literal, $chinese:literal $(, $name:ident = $value:expr)* $(,)?) => {
        match $language {
            $crate::language::Language::English => ::std::format!($english $(, $name = $value)*),
            $crate::language::Language::Chinese => ::std::format!($chinese $(, $name = $value)*),
        }
    };
}

/// Formats a [`Text`] with values: `both!("line {n}", "第 {n} 行")`.
#[macro_export]
macro_rules! both {
    ($english:literal, $chinese:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        $(let $name = $value;)*
        $crate::language::Text::new(::std::format!($english), ::std::format!($chinese))
    }};
}

/// A table of texts as a type of its own. Each text is a method: a fixed text, one with values, or
/// several lines.
///
/// ```
/// paytill_core::catalogue! {
///     /// What a till says to its cashier.
///     pub struct Words;
///     hand_over => "Hand over the goods.", "请把商品交给顾客。";
///     next_check(seconds: u64) => "next check in {seconds} s", "{seconds} 秒后再次查询";
///     help => ["Type the amount.", "请输入金额。"], ["Press Enter.", "按回车键。"];
/// }
/// use paytill_core::language::Language;
/// assert_eq!(Words::of(Language::English).hand_over(), "Hand over the goods.");
/// assert_eq!(Words::of(Language::Chinese).next_check(5), "5 秒后再次查询");
/// assert_eq!(Words::of(Language::Chinese).help(), ["请输入金额。", "按回车键。"]);
/// ```
#[macro_export]
macro_rules! catalogue {
    (
        $(#[$meta:meta])* $visibility:vis struct $name:ident;
        $($(#[$doc:meta])* $text:ident $(($($value:ident: $type:ty),+))? => $($words:tt),+;)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $visibility struct $name($crate::language::Language);

        impl $name {
            /// The texts in a language.
            pub const fn of(language: $crate::language::Language) -> Self {
                Self(language)
            }

            /// All of them in English and Chinese, with the values' names instead of values.
            #[cfg(test)]
            pub(crate) fn all() -> Vec<[&'static str; 2]> {
                [$($crate::catalogue!(@pairs $($words),+)),*].concat()
            }

            $($crate::catalogue!(@text [$(#[$doc])*] $text [$($($value: $type),+)?] $($words),+);)*
        }
    };
    (@text [$(#[$doc:meta])*] $text:ident [] $english:literal, $chinese:literal) => {
        $(#[$doc])*
        pub const fn $text(self) -> &'static str {
            self.0.pick($english, $chinese)
        }
    };
    (@text [$(#[$doc:meta])*] $text:ident [$($value:ident: $type:ty),+] $english:literal, $chinese:literal) => {
        $(#[$doc])*
        pub fn $text(self, $($value: $type),+) -> String {
            $crate::say!(self.0, $english, $chinese)
        }
    };
    (@text [$(#[$doc:meta])*] $text:ident [] $([$english:literal, $chinese:literal]),+) => {
        $(#[$doc])*
        pub const fn $text(self) -> &'static [&'static str] {
            self.0.pick(&[$($english),+], &[$($chinese),+])
        }
    };
    (@pairs $english:literal, $chinese:literal) => { &[[$english, $chinese]][..] };
    (@pairs $([$english:literal, $chinese:literal]),+) => { &[$([$english, $chinese]),+][..] };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_in_both_languages_and_english_where_nobody_is_known_to_read_it() {
        let line = 3;
        let text = both!("line {line}", "第 {line} 行");
        assert_eq!(text.in_language(Language::Chinese), "第 3 行");
        assert_eq!(text.to_string(), "line 3");
        assert_eq!(say!(Language::Chinese, "{n} s", "{n} 秒", n = line + 1), "4 秒");
        let placed = text.map(|text| format!("till.toml: {text}"));
        assert_eq!(placed.in_language(Language::Chinese), "till.toml: 第 3 行");
        let each = Text::each(|language| language.pick("one", "一").to_owned());
        assert_eq!(each, both!("one", "一"));
    }

    #[test]
    fn a_tag_names_a_language_exactly() {
        assert_eq!(Language::from_tag("zh-CN"), Some(Language::Chinese));
        assert_eq!(Language::from_tag("en"), Some(Language::English));
        assert_eq!(Language::from_tag("EN"), None);
    }
}

//! Bytes interpreted as choices. After their end everything is zero, so any length will do.

/// The bytes that are left.
pub struct Draw<'a>(pub &'a [u8]);

impl<'a> Draw<'a> {
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn bit(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub fn number(&mut self) -> i64 {
        i64::from_be_bytes(std::array::from_fn(|_| self.byte()))
    }

    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// As many bytes as the next one says.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    /// The same as text; some lengths stand for one of the [`HOSTILE`] texts.
    pub fn text(&mut self) -> String {
        if let [mark @ 0xf0..=0xff, rest @ ..] = self.0 {
            self.0 = rest;
            return hostile(usize::from(mark - 0xf0));
        }
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// Texts that control terminals, printers, logs and formatters, or hide in them.
pub const HOSTILE: [&str; 14] = [
    "\u{1b}[2J\u{1b}]0;PAID\u{7}",
    "\u{9b}31mPAID\u{9d}0;x\u{9c}\u{90}q\u{9c}\u{85}\u{8d}",
    "\u{202e}DIAP\u{2066}x\u{2069}\u{200f}\u{61c}",
    "a\u{200b}\u{200d}\u{2060}\u{feff}\u{ad}\u{34f}\u{17b4}\u{1d173}\u{1bca0}b",
    "z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}",
    "\u{1b}p\0\u{19}\u{fa}\u{10}\u{14}\u{1}\0\u{1}\u{1d}(L\u{1d}V\0\u{1c}p\u{1}\0",
    "%s%n%x{}{0}{:?}$(id)`id`${HOME}'\"\\x1b[2J\\u001b\\033c",
    "one\r\ntwo\u{2028}three\u{2029}four\u{c}five\u{b}six\u{85}seven",
    "\u{e0001}\u{e0041}\u{e007f}\u{fe0f}\u{e0100}\u{115f}\u{3164}\u{ffa0}\u{180b}\u{206f}",
    "</xml><result_code>SUCCESS</result_code>]]>&#27;[2J&#x9b;",
    "￥0.01 支付成功 PAID \u{5350}\u{20bb7}\u{1f4b0}\u{10ffff}\u{fffd}",
    "\0\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{8}\u{e}\u{f}\u{11}\u{18}\u{1a}\u{7f}",
    "'; DROP TABLE entry; -- ../../../../etc/passwd\0.png",
    "{\"state\":\"paid\",\"level\":\"ERROR\"}\n{\"state\":\"paid\"}",
];

/// One of them, or one of two long ones.
pub fn hostile(which: usize) -> String {
    match HOSTILE.get(which) {
        Some(text) => (*text).to_owned(),
        None if which == HOSTILE.len() => "长\u{1b}[31m".repeat(1300),
        None => HOSTILE.concat(),
    }
}

/// The number of hostile texts.
pub const HOSTILE_TEXTS: usize = HOSTILE.len() + 2;

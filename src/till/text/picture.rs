//! Why a file is not a picture for a receipt, as a clause that follows the file's name.

use crate::language::Language;
use crate::picture::{HIGHEST, NotAPicture, WIDEST};
use crate::say;

/// The clause for each reason.
pub fn fault(why: &NotAPicture, language: Language) -> String {
    match why {
        NotAPicture::NotPbm => say!(
            language,
            "is no PBM picture (black and white; its first two characters are P1 or P4)",
            "不是 PBM 图片（黑白，开头两个字符为 P1 或 P4）"
        ),
        NotAPicture::Short => {
            language.pick("is a PBM picture that ends too early", "是不完整的 PBM 图片").to_owned()
        }
        NotAPicture::Size(width, height) => say!(
            language,
            "is {width} x {height} dots; at most {WIDEST} x {HIGHEST} are allowed",
            "为 {width} x {height} 点，最大 {WIDEST} x {HIGHEST}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_said_with_the_largest_that_there_may_be() {
        let why = NotAPicture::Size(577, 1);
        let words = "is 577 x 1 dots; at most 576 x 800 are allowed";
        assert_eq!(fault(&why, Language::English), words);
        assert_eq!(fault(&why, Language::Chinese), "为 577 x 1 点，最大 576 x 800");
    }
}

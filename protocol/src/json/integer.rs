//! Integers as JSON text, without the formatting of the standard library, which is large in wasm.

use alloc::string::String;

/// Appends `number` in decimal digits.
pub fn push_integer(out: &mut String, number: u64) {
    let mut divisor = 1;
    while number / divisor >= 10 {
        divisor *= 10;
    }
    while divisor > 0 {
        let digit = (number / divisor % 10) as u8;
        out.push(char::from(b'0' + digit));
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pushed(number: u64) -> String {
        let mut out = String::new();
        push_integer(&mut out, number);
        out
    }

    #[test]
    fn the_ends_of_the_range_have_their_digits() {
        for number in [0, 9, 10, 99, 100, u64::MAX] {
            assert_eq!(pushed(number), number.to_string());
        }
    }

    proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(number in any::<u64>()) {
            prop_assert_eq!(pushed(number), number.to_string());
        }
    }
}

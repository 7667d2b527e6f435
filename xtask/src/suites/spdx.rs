//! Licence expressions as crates write them: `MIT OR Apache-2.0`, `(A OR B) AND C`, `A/B`, `A WITH X`.

use anyhow::{Result, bail, ensure};

/// Whether `expression` can be satisfied with licences that `accepts` accepts.
///
/// A licence with an exception is passed on whole: `Apache-2.0 WITH LLVM-exception`.
///
/// # Errors
/// When it is not an expression.
pub(super) fn is_satisfied(expression: &str, accepts: &dyn Fn(&str) -> bool) -> Result<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut parser = Parser { words: spaced.split_whitespace().collect(), next: 0, accepts };
    let satisfied = parser.alternatives()?;
    ensure!(parser.peek().is_none(), "`{expression}` goes on after its end");
    Ok(satisfied)
}

struct Parser<'a> {
    words: Vec<&'a str>,
    next: usize,
    accepts: &'a dyn Fn(&str) -> bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    fn take(&mut self) -> Option<&'a str> {
        let word = self.peek();
        self.next += 1;
        word
    }

    fn take_if(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        self.next += usize::from(there);
        there
    }

    /// `A OR B`; binds weakest.
    fn alternatives(&mut self) -> Result<bool> {
        let mut satisfied = self.conjunction()?;
        while self.take_if("OR") {
            satisfied |= self.conjunction()?;
        }
        Ok(satisfied)
    }

    /// `A AND B`
    fn conjunction(&mut self) -> Result<bool> {
        let mut satisfied = self.licence()?;
        while self.take_if("AND") {
            satisfied &= self.licence()?;
        }
        Ok(satisfied)
    }

    /// `A`, `A WITH X`, or an expression in parentheses.
    fn licence(&mut self) -> Result<bool> {
        match self.take() {
            Some("(") => {
                let satisfied = self.alternatives()?;
                ensure!(self.take_if(")"), "a parenthesis is not closed");
                Ok(satisfied)
            }
            None | Some(")" | "AND" | "OR" | "WITH") => bail!("a licence is missing"),
            Some(name) if self.take_if("WITH") => match self.take() {
                Some(exception) => Ok((self.accepts)(&format!("{name} WITH {exception}"))),
                None => bail!("an exception is missing after WITH"),
            },
            Some(name) => Ok((self.accepts)(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(expression: &str) -> Option<bool> {
        let accepts =
            |name: &str| ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].contains(&name);
        is_satisfied(expression, &accepts).ok()
    }

    #[test]
    fn one_good_alternative_is_enough() {
        assert_eq!(accepted("GPL-3.0 OR MIT"), Some(true));
        assert_eq!(accepted("MIT/GPL-3.0"), Some(true));
        assert_eq!(accepted("GPL-3.0 OR AGPL-3.0"), Some(false));
    }

    #[test]
    fn all_of_a_conjunction_are_required() {
        assert_eq!(accepted("MIT AND Zlib"), Some(true));
        assert_eq!(accepted("MIT AND GPL-3.0"), Some(false));
    }

    #[test]
    fn and_binds_stronger_than_or() {
        assert_eq!(accepted("MIT OR GPL-3.0 AND GPL-2.0"), Some(true));
        assert_eq!(accepted("(MIT OR GPL-3.0) AND GPL-2.0"), Some(false));
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        assert_eq!(accepted("Apache-2.0 WITH LLVM-exception"), Some(true));
        assert_eq!(accepted("MIT WITH Strange-exception"), Some(false));
    }

    #[test]
    fn nonsense_is_an_error() {
        for nonsense in ["", "MIT OR", "(MIT", "MIT Zlib", "MIT)", "MIT WITH"] {
            assert_eq!(accepted(nonsense), None, "{nonsense}");
        }
    }
}

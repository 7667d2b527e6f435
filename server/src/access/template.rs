//! Addresses in rules that may name claims of the principal: `user.${sub}.inbox`.

/// Text with the names of claims in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Claim(String),
}

impl Template {
    /// Reads a template; an error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) = after.split_once('}').ok_or("has `${` without `}`")?;
            if name.is_empty() {
                return Err("has `${}` without the name of a claim");
            }
            parts.extend([Part::Text(before.to_owned()), Part::Claim(name.to_owned())]);
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    pub(super) fn names_claims(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Claim(_)))
    }

    /// The text with each claim put in as `value` gives it; none when it gives none.
    pub(super) fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Claim(name) => filled.push_str(&value(name)?),
            }
        }
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_put_in_and_missing_ones_give_nothing() {
        let ada = |name: &str| (name == "sub").then(|| "ada".to_owned());
        let inbox = Template::parse("user.${sub}.${sub}").unwrap();
        assert!(inbox.names_claims());
        assert_eq!(inbox.fill(ada).as_deref(), Some("user.ada.ada"));
        assert_eq!(Template::parse("${org}").unwrap().fill(ada), None);
        let plain = Template::parse("a$b}").unwrap();
        assert_eq!(plain.fill(|_| None).as_deref(), Some("a$b}"));
        assert!(Template::parse("a${b").is_err() && Template::parse("${}").is_err());
    }
}

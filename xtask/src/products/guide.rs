//! The guide of the site: the Markdown of `docs/`, each file a page in the site's look.
//!
//! Links between the files become links between the pages, those to an example links to its place
//! among the examples. A paragraph that is nothing but a link to
//! a file of `examples/` becomes that file's text.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::workspace::Workspace;

/// One page: its source below the workspace's root, and the name of its HTML file.
#[derive(Debug, Clone, Copy)]
struct Page {
    source: &'static str,
    name: &'static str,
}

/// A part of the guide's table of contents.
#[derive(Debug)]
struct Part {
    title: &'static str,
    pages: &'static [Page],
}

const fn page(source: &'static str, name: &'static str) -> Page {
    Page { source, name }
}

const PARTS: [Part; 3] = [
    Part {
        title: "In pages and programs",
        pages: &[
            page("docs/start.md", "index"),
            page("docs/reconnecting.md", "reconnecting"),
            page("docs/patterns.md", "patterns"),
            page("docs/auth.md", "auth"),
            page("docs/workers.md", "workers"),
            page("docs/testing.md", "testing"),
            page("docs/migrating.md", "migrating"),
            page("docs/rust.md", "rust"),
            page("docs/examples.md", "examples"),
        ],
    },
    Part {
        title: "Running a server",
        pages: &[
            page("docs/tokens.md", "tokens"),
            page("docs/limits.md", "limits"),
            page("docs/gateways.md", "gateways"),
            page("docs/operating.md", "operating"),
            page("docs/performance.md", "performance"),
        ],
    },
    Part { title: "Reference", pages: &[page("protocol/README.md", "protocol")] },
];

/// The page that all pages are made of.
const TEMPLATE: &str = "guide/page.html";

/// Makes all pages of the guide in `site`, in place of their template.
pub(super) fn build(workspace: &Workspace, site: &Path) -> Result<()> {
    let template = site.join(TEMPLATE);
    let frame = fs::read_to_string(&template)
        .with_context(|| format!("cannot read {}", template.display()))?;
    fs::remove_file(&template)?;
    for page in PARTS.iter().flat_map(|part| part.pages) {
        let source = workspace.root().join(page.source);
        let text = fs::read_to_string(&source)
            .with_context(|| format!("cannot read {}", source.display()))?;
        let article = Article::render(workspace.root(), page, &text)
            .with_context(|| format!("in {}", page.source))?;
        let path = site.join("guide").join(page.name).with_extension("html");
        fs::write(&path, article.into_page(&frame, page))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// What one Markdown file becomes.
#[derive(Debug)]
struct Article {
    title: String,
    body: String,
    /// Anchor and text of each heading of the second level.
    sections: Vec<(String, String)>,
}

impl Article {
    fn render(root: &Path, page: &Page, text: &str) -> Result<Self> {
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        let mut events: Vec<Event<'_>> = Parser::new_ext(text, options).collect();
        show_files(root, page, &mut events)?;
        let (mut title, mut sections) = (None, Vec::new());
        for at in 0..events.len() {
            let words = heading_text(&events[at..]);
            match &mut events[at] {
                Event::Start(Tag::Heading { level, id, .. }) => {
                    let anchor = anchor(&words);
                    *id = Some(CowStr::from(anchor.clone()));
                    match level {
                        HeadingLevel::H1 => title = Some(words),
                        HeadingLevel::H2 => sections.push((anchor, words)),
                        _ => {}
                    }
                }
                Event::Start(Tag::Link { dest_url, .. }) => {
                    *dest_url = CowStr::from(target(page, dest_url)?);
                }
                _ => {}
            }
        }
        let title = title.context("a page needs a heading of the first level")?;
        let mut body = String::new();
        html::push_html(&mut body, with_scrolling_tables(events).into_iter());
        Ok(Self { title, body, sections })
    }

    fn into_page(self, frame: &str, page: &Page) -> String {
        frame
            .replace("{{title}}", &escape(&self.title))
            .replace("{{contents}}", &contents(page, &self.sections))
            .replace("{{article}}", &self.body)
    }
}

/// Puts the text of files in place of paragraphs that only link to them.
fn show_files(root: &Path, page: &Page, events: &mut Vec<Event<'_>>) -> Result<()> {
    let mut at = 0;
    while at + 4 < events.len() {
        if let [
            Event::Start(Tag::Paragraph),
            Event::Start(Tag::Link { dest_url, .. }),
            Event::Code(_) | Event::Text(_),
            Event::End(TagEnd::Link),
            Event::End(TagEnd::Paragraph),
        ] = &events[at..at + 5]
            && !dest_url.contains("://")
            && let path = in_workspace(page, dest_url)?
            && path.starts_with("examples/")
        {
            let text = fs::read_to_string(root.join(&path))
                .with_context(|| format!("cannot read {path}"))?;
            let shown = format!(
                "<p class=\"file\">{path}</p>\n<pre tabindex=\"0\"><code>{}</code></pre>\n",
                escape(&text)
            );
            events.splice(at..at + 5, [Event::Html(CowStr::from(shown))]);
        }
        at += 1;
    }
    Ok(())
}

/// Wide tables and code are scrolled by themselves, also by keyboard.
fn with_scrolling_tables(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut scrolling = Vec::with_capacity(events.len());
    for event in events {
        match event {
            Event::Start(Tag::Table(_)) => {
                scrolling.push(Event::Html(r#"<div class="table" tabindex="0">"#.into()));
                scrolling.push(event);
            }
            Event::End(TagEnd::Table) => {
                scrolling.push(event);
                scrolling.push(Event::Html("</div>\n".into()));
            }
            other => scrolling.push(other),
        }
    }
    scrolling
}

/// The text of the heading with which `events` begin.
fn heading_text(events: &[Event<'_>]) -> String {
    if !matches!(events.first(), Some(Event::Start(Tag::Heading { .. }))) {
        return String::new();
    }
    let inside = events.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    inside
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// As the usual hosts of Markdown make anchors, so that a link works there and here.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars()
        .filter_map(|letter| match letter {
            ' ' | '-' => Some('-'),
            letter if letter.is_alphanumeric() || letter == '_' => Some(letter),
            _ => None,
        })
        .collect()
}

/// Where a link of `page` leads on the site: to another page of the guide, or where it says.
fn target(page: &Page, link: &str) -> Result<String> {
    if link.starts_with('#') || link.starts_with('/') || link.contains("://") {
        return Ok(link.to_owned());
    }
    let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
    let wanted = in_workspace(page, file)?;
    if let Some(example) = wanted.strip_prefix("examples/") {
        let name = example.split('/').next().unwrap_or_default();
        return Ok(format!("examples.html#{name}"));
    }
    let mut pages = PARTS.iter().flat_map(|part| part.pages);
    let Some(known) = pages.find(|known| Path::new(known.source) == Path::new(&wanted)) else {
        bail!("a link leads to {link}, which is no page of the guide");
    };
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    Ok(format!("{}.html{fragment}", known.name))
}

/// Where `link` of `page` leads, as a path below the workspace's root.
fn in_workspace(page: &Page, link: &str) -> Result<String> {
    let folder = Path::new(page.source).parent().unwrap_or(Path::new(""));
    let mut parts: Vec<&str> = Vec::new();
    let path = folder.join(link);
    for part in path.iter().filter_map(|part| part.to_str()) {
        match part {
            "." => {}
            ".." => ensure!(parts.pop().is_some(), "a link leads out of the workspace"),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// The table of contents, with the sections of the page that is shown.
fn contents(shown: &Page, sections: &[(String, String)]) -> String {
    let mut list = String::new();
    for part in &PARTS {
        list += &format!("<h2>{}</h2>\n<ul>\n", part.title);
        for page in part.pages {
            let is_shown = page.name == shown.name;
            let current = if is_shown { r#" aria-current="page""# } else { "" };
            list += &format!(r#"<li><a href="{}.html"{current}>{}</a>"#, page.name, label(page));
            if is_shown && !sections.is_empty() {
                list += "\n<ul>\n";
                for (anchor, text) in sections {
                    list += &format!("<li><a href=\"#{anchor}\">{}</a></li>\n", escape(text));
                }
                list += "</ul>\n";
            }
            list += "</li>\n";
        }
        list += "</ul>\n";
    }
    list
}

/// What the table of contents calls a page.
fn label(page: &Page) -> String {
    if page.name == "index" {
        return "Start".to_owned();
    }
    let mut letters = page.name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Page = page("docs/start.md", "index");

    #[test]
    fn a_link_to_another_file_becomes_one_to_its_page() {
        for (link, becomes) in [
            ("patterns.md", "patterns.html"),
            ("tokens.md#tls", "tokens.html#tls"),
            ("../protocol/README.md", "protocol.html"),
            ("../examples/yew", "examples.html#yew"),
            ("#here", "#here"),
            ("/reference/", "/reference/"),
            ("https://vertx.io", "https://vertx.io"),
        ] {
            assert_eq!(target(&START, link).unwrap(), becomes);
        }
    }

    #[test]
    fn a_link_to_nowhere_fails_the_build() {
        for link in ["nowhere.md", "../../outside.md"] {
            assert!(target(&START, link).is_err(), "{link}");
        }
    }

    #[test]
    fn headings_have_anchors_and_the_first_is_the_title() {
        let article =
            Article::render(Path::new(""), &START, "# Start `here`\n\n## Who & what?\n\ntext")
                .unwrap();
        assert_eq!(article.title, "Start here");
        assert_eq!(article.sections, [("who--what".to_owned(), "Who & what?".to_owned())]);
        assert!(article.body.contains(r#"<h2 id="who--what">"#), "{}", article.body);
        let page = article.into_page("{{title}}|{{contents}}|{{article}}", &START);
        assert!(page.contains("<a href=\"#who--what\">Who &amp; what?</a>"), "{page}");
    }

    #[test]
    fn a_link_alone_to_an_example_becomes_its_text() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let text = "# Examples\n\n[`page`](../examples/html/index.html)\n\nText.";
        let article = Article::render(root, &START, text).unwrap();
        assert!(article.body.contains("&lt;!doctype html&gt;"), "{}", article.body);
        assert!(Article::render(root, &START, &text.replace("index", "none")).is_err());
    }

    #[test]
    fn a_page_without_a_title_is_refused() {
        assert!(Article::render(Path::new(""), &START, "text").is_err());
    }
}

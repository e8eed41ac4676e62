//! How many tests passed, read from what the test programs say.

use std::fmt;

/// Tests by their outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// A reader of the output of one kind of test program, line by line.
pub trait Reader {
    /// Takes a line; false where it is not worth showing.
    fn line(&mut self, line: &str) -> bool;
    /// The tests so far.
    fn tally(&self) -> Tally;
}

/// Rust's test harness under `--show-output`, and wasm-bindgen's, which speaks alike.
/// A test that passes without testing says `skipped: why` on a line of its own; it counts as skipped.
#[derive(Default)]
pub struct Libtest {
    tally: Tally,
    in_output_of_passed: bool,
    /// Tests of the running suite that said so; its result, which comes later, counts them as passed.
    said_skipped: u64,
}

impl Reader for Libtest {
    fn line(&mut self, line: &str) -> bool {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.in_output_of_passed = false;
            self.tally += Tally {
                passed: count_before(result, " passed").saturating_sub(self.said_skipped),
                failed: count_before(result, " failed"),
                skipped: count_before(result, " ignored") + self.said_skipped,
            };
            self.said_skipped = 0;
        } else if line == "successes:" {
            self.in_output_of_passed = true;
        } else if line == "failures:" {
            self.in_output_of_passed = false;
        }
        if !self.in_output_of_passed {
            return true;
        }
        let skipped = line.starts_with("skipped: ");
        if skipped {
            self.said_skipped += 1;
        }
        skipped
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// Node's test runner with its `spec` reporter, whose last lines read `ℹ pass 3`.
#[derive(Default)]
pub struct NodeTest {
    tally: Tally,
}

impl Reader for NodeTest {
    fn line(&mut self, line: &str) -> bool {
        let mut words = line.trim_start_matches('ℹ').split_whitespace();
        if let (Some(name), Some(Ok(count)), None) =
            (words.next(), words.next().map(str::parse), words.next())
        {
            match name {
                "pass" => self.tally.passed = count,
                "fail" => self.tally.failed = count,
                "skipped" => self.tally.skipped = count,
                _ => {}
            }
        }
        true
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// Playwright's JSON report.
pub fn from_playwright(report: &str) -> Option<Tally> {
    let report: serde_json::Value = serde_json::from_str(report).ok()?;
    let count = |name: &str| report["stats"][name].as_u64();
    Some(Tally {
        passed: count("expected")?,
        failed: count("unexpected")? + count("flaky")?,
        skipped: count("skipped")?,
    })
}

/// The number that stands before `word`: 3 in `ok. 3 passed; 0 failed`.
fn count_before(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().filter(|before| before.len() < text.len());
    before.and_then(|before| before.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut reader: impl Reader, text: &str) -> (Tally, String) {
        let shown: Vec<_> = text.lines().filter(|line| reader.line(line)).collect();
        (reader.tally(), shown.join("\n"))
    }

    #[test]
    fn results_of_several_rust_suites_add_up() {
        let (tally, _) = read(
            Libtest::default(),
            "test a ... ok\n\
             test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
             test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        assert_eq!(tally, Tally { passed: 13, failed: 2, skipped: 1 });
    }

    #[test]
    fn a_test_that_says_skipped_is_not_counted_as_passed() {
        let (tally, shown) = read(
            Libtest::default(),
            "successes:\n\n---- photos stdout ----\nskipped: no photos here\nother words\n\nsuccesses:\n    photos\n\
             test result: ok. 2 passed; 0 failed; 0 ignored",
        );
        assert_eq!(tally, Tally { passed: 1, failed: 0, skipped: 1 });
        assert!(shown.contains("skipped: no photos") && !shown.contains("other words"), "{shown}");
    }

    #[test]
    fn node_and_playwright_are_understood() {
        let (node, _) =
            read(NodeTest::default(), "✔ adds (1ms)\nℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ skipped 1");
        assert_eq!(node, Tally { passed: 3, failed: 1, skipped: 1 });
        let report = r#"{"stats": {"expected": 4, "unexpected": 1, "flaky": 1, "skipped": 2}}"#;
        assert_eq!(from_playwright(report), Some(Tally { passed: 4, failed: 2, skipped: 2 }));
        assert_eq!(from_playwright("{}"), None);
    }
}

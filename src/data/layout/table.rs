//! Labels in a table beside the photos, .csv or .tsv: `0.png,left`.

use super::super::archive::{TableFile, parts_of};
use super::super::names::{composed, decoded};
use super::super::photo::Split;
use super::Placed;
use super::split_folders::part_of;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Headings of columns of labels, in small letters, those that say most first.
const HEADINGS: [&str; 34] = [
    "label",
    "labels",
    "class",
    "classes",
    "category",
    "categories",
    "target",
    "species",
    "breed",
    "dx",
    "diagnosis",
    "variety",
    "kind",
    "type",
    "tag",
    "y",
    "klasse",
    "kategorie",
    "art",
    "clase",
    "etiqueta",
    "classe",
    "étiquette",
    "라벨",
    "레이블",
    "클래스",
    "종류",
    "분류",
    "품종",
    "ラベル",
    "クラス",
    "类别",
    "标签",
    "標籤",
];

/// Share of the photos that tables must name.
const NAMED: f64 = 0.3;
/// The same where the photos' folders say something else.
const NAMED_AGAINST_FOLDERS: f64 = 0.8;
/// Share of a table's rows that must name photos.
const ROWS: f64 = 0.3;
/// Characters by which it is told what is between cells.
const SAMPLE: usize = 8000;
/// Most bytes of a table that are read.
const MOST_BYTES: usize = 64 << 20;

/// A table that labels photos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelTable {
    /// Names of the file, or of several.
    pub names: Vec<String>,
    /// Heading of the column of labels, if it has one.
    pub column: Option<String>,
    /// Photos that it labels.
    pub photos: usize,
    /// Photos that it does not name; they have no label.
    pub unlisted: usize,
    /// Classes that it names.
    pub classes: usize,
    /// Whether the photos are labelled by it.
    pub taken: bool,
}

/// What a table says of a photo.
type Said = (Option<String>, Option<Split>);

/// The table that labels the photos at these paths, and what it says of each; none where there is none, or where it repeats
/// what the `folders` say already.
pub fn find(
    paths: &[Vec<&str>],
    tables: &[TableFile],
    placed: &[Placed],
    folders: usize,
) -> Option<(LabelTable, Vec<Option<Said>>)> {
    if tables.is_empty() || paths.is_empty() {
        return None;
    }
    let photos = Photos::new(paths);
    let read: Vec<Read> = tables.iter().filter_map(|file| Read::new(file, &photos)).collect();
    let parts: BTreeSet<Split> = read.iter().filter_map(|table| part_of(&table.stem)).collect();
    let by_name = parts.contains(&Split::Train) && parts.len() > 1;
    let (mut said, mut column, mut is_named) = (vec![None; paths.len()], None, false);
    for table in &read {
        for (photo, (label, split)) in &table.said {
            let part = split.or_else(|| part_of(&table.stem).filter(|_| by_name));
            said[*photo].get_or_insert_with(|| (label.clone(), part));
        }
        column = column.or_else(|| table.column.clone());
        is_named |= table.is_named;
    }
    let labels: Vec<Option<&str>> = said
        .iter()
        .map(|said: &Option<Said>| said.as_ref().and_then(|(label, _)| label.as_deref()))
        .collect();
    let classes: BTreeSet<&str> = labels.iter().copied().flatten().collect();
    let labelled = labels.iter().flatten().count();
    let share = labelled as f64 / paths.len() as f64;
    let repeats = labels.iter().zip(placed).all(|(label, photo)| {
        let folder = photo.label.as_deref().unwrap_or_default();
        label.is_none_or(|label| label.eq_ignore_ascii_case(folder))
    });
    let outdoes = folders <= 1 || (is_named && share >= NAMED_AGAINST_FOLDERS);
    if classes.len() < 2 || share < NAMED || repeats || !outdoes {
        return None;
    }
    let table = LabelTable {
        names: read.iter().map(|table| table.name.clone()).collect(),
        column,
        photos: labelled,
        unlisted: paths.len() - labelled,
        classes: classes.len(),
        taken: true,
    };
    Some((table, said))
}

/// Photos by their names.
struct Photos<'a> {
    paths: &'a [Vec<&'a str>],
    by_stem: HashMap<String, Vec<usize>>,
}

impl<'a> Photos<'a> {
    fn new(paths: &'a [Vec<&'a str>]) -> Self {
        let mut by_stem = HashMap::<String, Vec<usize>>::new();
        for (photo, path) in paths.iter().enumerate() {
            let stem = key(stem_of(path.last().unwrap_or(&"")).0);
            by_stem.entry(stem).or_default().push(photo);
        }
        Self { paths, by_stem }
    }

    /// The photos that a cell names: by name with or without an ending, with or without folders.
    fn named(&self, cell: &str) -> Vec<usize> {
        let parts = parts_of(cell);
        let Some((file, folders)) = parts.split_last() else { return Vec::new() };
        // A name may have dots in it that begin no ending.
        let by = |stem: &str| self.by_stem.get(&key(stem)).map(Vec::as_slice).unwrap_or_default();
        let (stem, ending) = stem_of(file);
        let whole = by(file);
        let found = if whole.is_empty() { by(stem) } else { whole };
        let narrowed = |wanted: &dyn Fn(&Vec<&str>) -> bool, found: Vec<usize>| {
            let fewer: Vec<usize> =
                found.iter().copied().filter(|&photo| wanted(&self.paths[photo])).collect();
            if fewer.is_empty() { found } else { fewer }
        };
        let in_folder = |path: &Vec<&str>| {
            let own = path.iter().rev().skip(1).map(|part| composed(part).to_lowercase());
            let asked = folders.iter().rev().map(|part| composed(part).to_lowercase());
            folders.len() < path.len() && own.zip(asked).all(|(own, asked)| own == asked)
        };
        let ends = |path: &Vec<&str>| {
            path.last().is_some_and(|file| stem_of(file).1.eq_ignore_ascii_case(ending))
        };
        narrowed(&ends, narrowed(&in_folder, found.to_vec()))
    }
}

/// A name without its ending, and the ending.
fn stem_of(file: &str) -> (&str, &str) {
    file.rfind('.').map_or((file, ""), |dot| (&file[..dot], &file[dot + 1..]))
}

/// A name as it is compared: small letters; a number without the zeros that spreadsheets take away.
fn key(stem: &str) -> String {
    let stem = composed(stem.trim()).to_lowercase();
    if !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = stem.trim_start_matches('0');
        return if number.is_empty() { "0".into() } else { number.into() };
    }
    stem
}

/// A table whose rows name photos.
struct Read {
    name: String,
    stem: String,
    column: Option<String>,
    /// Whether the column's heading says that it holds labels.
    is_named: bool,
    said: Vec<(usize, Said)>,
}

impl Read {
    fn new(file: &TableFile, photos: &Photos) -> Option<Self> {
        let rows = rows(&file.bytes);
        let width = rows.iter().map(Vec::len).max()?;
        let named = |column: usize| -> Vec<Vec<usize>> {
            let cell = |row: &Vec<String>| row.get(column).map(|cell| photos.named(cell));
            rows.iter().map(|row| cell(row).unwrap_or_default()).collect()
        };
        // The column that names most photos; of two that name as many, the first.
        let mut best: Option<(usize, usize, Vec<Vec<usize>>)> = None;
        for column in 0..width {
            let found = named(column);
            let distinct = found.iter().flatten().collect::<BTreeSet<_>>().len();
            if distinct > best.as_ref().map_or(0, |best| best.0) {
                best = Some((distinct, column, found));
            }
        }
        let (_, names, found) = best?;
        let has_head = found.first().is_some_and(Vec::is_empty);
        let body = usize::from(has_head);
        let hits: Vec<usize> = (body..rows.len()).filter(|&row| !found[row].is_empty()).collect();
        if hits.len() < 2 || (hits.len() as f64) < ROWS * (rows.len() - body) as f64 {
            return None;
        }
        let heads: Vec<String> = match has_head {
            true => rows[0].iter().map(|head| head.trim().to_owned()).collect(),
            false => Vec::new(),
        };
        let columns: Vec<Column> = (0..width)
            .filter(|&column| column != names)
            .map(|at| Column {
                at,
                head: heads.get(at).cloned().filter(|head| !head.is_empty()),
                cells: hits
                    .iter()
                    .map(|&row| rows[row].get(at).map_or("", |cell| cell.trim()))
                    .collect(),
            })
            .collect();
        let split = columns.iter().find(|column| column.is_split()).map(|column| column.at);
        let Labels { column, is_named, labels } =
            labels(columns.iter().filter(|column| Some(column.at) != split))?;
        let of_row = |(at, &row): (usize, &usize)| {
            let part = split.and_then(|column| part_of(rows[row].get(column)?));
            let said = (Some(composed(&labels[at])).filter(|label| !label.is_empty()), part);
            found[row].iter().map(move |&photo| (photo, said.clone())).collect::<Vec<_>>()
        };
        let file_name = file.path.rsplit(['/', '\\']).next().unwrap_or_default();
        Some(Self {
            name: composed(file_name),
            stem: stem_of(file_name).0.to_owned(),
            column,
            is_named,
            said: hits.iter().enumerate().flat_map(of_row).collect(),
        })
    }
}

/// A column's cells in the rows that name photos.
struct Column<'a> {
    at: usize,
    head: Option<String>,
    cells: Vec<&'a str>,
}

impl Column<'_> {
    fn distinct(&self) -> usize {
        self.cells.iter().collect::<BTreeSet<_>>().len()
    }

    /// Whether every cell is a part of a split, learned from and not.
    fn is_split(&self) -> bool {
        let parts: Option<BTreeSet<Split>> = self.cells.iter().map(|cell| part_of(cell)).collect();
        parts.is_some_and(|parts| parts.contains(&Split::Train) && parts.len() > 1)
    }

    /// How much the heading says that this is the label; less is more.
    fn rank(&self) -> Option<usize> {
        let head = self.head.as_ref()?.to_lowercase();
        let mut words = head.split(|c: char| !c.is_alphabetic());
        let rank = |word: &str| HEADINGS.iter().position(|heading| *heading == word);
        words.by_ref().filter_map(rank).min()
    }

    fn is_numeric(&self) -> bool {
        self.cells.iter().all(|cell| cell.is_empty() || cell.parse::<f64>().is_ok())
    }

    /// Whether there are several values, each of which many photos may share.
    fn may_label(&self) -> bool {
        let distinct = self.distinct();
        distinct > 1 && 2 * distinct <= self.cells.len()
    }

    fn is_whole(&self) -> bool {
        self.cells.iter().all(|cell| !cell.contains('.') || cell.parse::<f64>().is_err())
    }

    /// The cells as yes and no, if they are.
    fn flags(&self) -> Option<Vec<bool>> {
        let flag = |cell: &&str| match cell.parse::<f64>() {
            Ok(1.0) => Some(true),
            Ok(0.0) => Some(false),
            _ => None,
        };
        self.cells.iter().map(flag).collect()
    }
}

struct Labels {
    column: Option<String>,
    is_named: bool,
    labels: Vec<String>,
}

/// The label of each row: in the column whose heading says so, in one column a class, or in the first column that may be
/// one.
fn labels<'a>(columns: impl Iterator<Item = &'a Column<'a>> + Clone) -> Option<Labels> {
    let of = |column: &Column, is_named| Labels {
        column: column.head.clone(),
        is_named,
        labels: column.cells.iter().map(|cell| (*cell).to_owned()).collect(),
    };
    let headed = columns.clone().filter(|column| column.rank().is_some() && column.distinct() > 1);
    // Words tell more than the numbers that stand for them.
    if let Some(column) = headed.min_by_key(|column| (column.is_numeric(), column.rank())) {
        return Some(of(column, true));
    }
    let flags: BTreeMap<&str, Vec<bool>> = columns
        .clone()
        .filter_map(|column| Some((column.head.as_deref()?, column.flags()?)))
        .collect();
    let rows = columns.clone().next()?.cells.len();
    let classes = |row: usize| flags.iter().filter(move |(_, flags)| flags[row]);
    if flags.len() > 1 && (0..rows).all(|row| classes(row).count() == 1) {
        let class = |row| classes(row).next().map_or(String::new(), |(class, _)| (*class).into());
        return Some(Labels {
            column: None,
            is_named: true,
            labels: (0..rows).map(class).collect(),
        });
    }
    let mut others = columns.filter(|column| column.may_label() && column.is_whole());
    let first = others.next()?;
    let words = std::iter::once(first).chain(others).find(|column| !column.is_numeric());
    Some(of(words.unwrap_or(first), false))
}

/// The rows of a table in any of the usual spellings; cells without the quotes about them.
fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let bytes = &bytes[..bytes.len().min(MOST_BYTES)];
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            // Spreadsheets write in the alphabet of their Windows.
            Err(_) => {
                let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
                decoded(&lines).join("\n")
            }
        },
    };
    // The one that gives most rows as many cells as the first has; commas are also in words and numbers.
    let start: String = text.chars().take(SAMPLE).collect();
    let even = |delimiter: &char| {
        let rows = split_rows(&start, *delimiter);
        let width = rows.first().map_or(0, Vec::len);
        rows.iter().filter(|row| width > 1 && row.len() == width).count()
    };
    let delimiter = [',', '|', ';', '\t'].into_iter().max_by_key(even).unwrap_or(',');
    split_rows(&text, delimiter)
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

fn split_rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                cell.push('"');
                characters.next();
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            '\n' | '\r' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ if character == delimiter && !quoted => row.push(std::mem::take(&mut cell)),
            _ => cell.push(character),
        }
    }
    row.push(cell);
    rows.push(row);
    // Of blank lines there is nothing to say, the ends of lines of Windows among them.
    rows.retain(|row| row.iter().any(|cell| !cell.trim().is_empty()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_in_every_spelling() {
        let expected = vec![vec!["a".to_owned(), "b, c".into()], vec!["1".into(), "\"x\"".into()]];
        for text in [
            "a,\"b, c\"\n1,\"\"\"x\"\"\"\n",
            "a;b, c\r\n\r\n1;\"\"\"x\"\"\"",
            "a\tb, c\r1\t\"\"\"x\"\"\"",
        ] {
            assert_eq!(rows(text.as_bytes()), expected, "{text}");
        }
        let utf16: Vec<u8> = "\u{feff}a\t가\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(rows(&utf16), [["a", "가"]]);
        // 장미 as Excel in Korea writes it.
        assert_eq!(rows(b"1.jpg,\xc0\xe5\xb9\xcc\n"), [["1.jpg", "장미"]]);
        assert_eq!(rows(b""), Vec::<Vec<String>>::new());
    }

    #[test]
    fn cells_name_photos_with_and_without_folder_and_ending() {
        let paths = [vec!["a", "01.png"], vec!["b", "01.png"], vec!["b", "x.y.jpg"]];
        let photos = Photos::new(&paths);
        assert_eq!(photos.named("a/01.png"), [0]);
        assert_eq!(photos.named("b\\1"), [1]);
        assert_eq!(photos.named("1.jpg"), [0, 1]);
        assert_eq!(photos.named("X.Y"), [2]);
        assert_eq!(photos.named("z/x.y.jpg"), [2]);
        assert_eq!(photos.named(""), Vec::<usize>::new());
    }
}

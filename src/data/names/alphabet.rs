//! Which alphabet the names in an archive are written in, guessed from how well they read in each.
//!
//! Programs on Windows write names in the code page of the language that Windows speaks, and do not say which. A guess
//! scores every name in every alphabet: letters where a word of that language has letters count for it, symbols, rare
//! characters and capitals inside words against it.

use super::code_pages;
use super::platform;

/// An alphabet, or rather the bytes that stand for its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// EUC-KR with Microsoft's additions, code page 949.
    Korean,
    /// Shift JIS, code page 932.
    Japanese,
    /// GBK, code page 936.
    ChineseSimplified,
    /// Big5, code page 950.
    ChineseTraditional,
    /// Code page 850.
    WesternDos,
    /// Code page 852.
    CentralDos,
    /// Code page 857.
    TurkishDos,
    /// Code page 737.
    GreekDos,
    /// Code page 862.
    HebrewDos,
    /// Code page 866.
    CyrillicDos,
    /// Windows-1252.
    Western,
    /// Windows-1250.
    Central,
    /// Windows-1254.
    Turkish,
    /// Windows-1253.
    Greek,
    /// Windows-1251.
    Cyrillic,
    /// Windows-874.
    Thai,
}

/// All of them; of those in which names read equally well the first is taken.
const ALL: [Alphabet; 16] = [
    Alphabet::Korean,
    Alphabet::Japanese,
    Alphabet::ChineseSimplified,
    Alphabet::ChineseTraditional,
    Alphabet::WesternDos,
    Alphabet::CentralDos,
    Alphabet::TurkishDos,
    Alphabet::GreekDos,
    Alphabet::HebrewDos,
    Alphabet::CyrillicDos,
    Alphabet::Western,
    Alphabet::Central,
    Alphabet::Turkish,
    Alphabet::Greek,
    Alphabet::Cyrillic,
    Alphabet::Thai,
];

/// Parts of paths that a guess looks at; more would not tell more.
const MOST_SAMPLES: usize = 400;

/// A byte that stands for nothing in an alphabet, in points.
const IMPOSSIBLE: f32 = -6.0;

impl Alphabet {
    /// The alphabet in which these names, of which some are no UTF-8, read best.
    pub fn of(names: &[&[u8]]) -> Self {
        let mut parts: Vec<&[u8]> = names
            .iter()
            .filter(|name| std::str::from_utf8(name).is_err())
            .flat_map(|name| name.split(|byte| *byte == b'/'))
            .filter(|part| !part.is_ascii())
            .collect();
        parts.sort_unstable();
        parts.dedup();
        parts.truncate(MOST_SAMPLES);
        let mut best = (Self::Korean, f32::NEG_INFINITY);
        for alphabet in ALL {
            let points = parts.iter().map(|part| alphabet.points(part)).sum();
            if points > best.1 {
                best = (alphabet, points);
            }
        }
        best.0
    }

    /// The text of bytes in this alphabet; none if they are none.
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        let table = match self {
            Self::WesternDos => code_pages::CP850,
            Self::CentralDos => code_pages::CP852,
            Self::TurkishDos => code_pages::CP857,
            Self::GreekDos => code_pages::CP737,
            Self::HebrewDos => code_pages::CP862,
            _ => return platform::decoded(bytes, self.label()),
        };
        let table: Vec<char> = table.chars().collect();
        let character = |&byte: &u8| match byte {
            0..128 => char::from(byte),
            _ => table[usize::from(byte) - 128],
        };
        Some(bytes.iter().map(character).collect())
    }

    /// The name that browsers know it by.
    fn label(self) -> &'static str {
        match self {
            Self::Korean => "euc-kr",
            Self::Japanese => "shift_jis",
            Self::ChineseSimplified => "gbk",
            Self::ChineseTraditional => "big5",
            Self::CyrillicDos => "ibm866",
            Self::Central => "windows-1250",
            Self::Turkish => "windows-1254",
            Self::Greek => "windows-1253",
            Self::Cyrillic => "windows-1251",
            Self::Thai => "windows-874",
            _ => "windows-1252",
        }
    }

    /// How well a part of a path reads: about one point for each byte that is no ASCII where it reads well.
    fn points(self, part: &[u8]) -> f32 {
        let Some(text) = self.decode(part) else { return IMPOSSIBLE * part.len() as f32 };
        let text: Vec<char> = text.chars().collect();
        match self {
            Self::Korean | Self::Japanese | Self::ChineseSimplified | Self::ChineseTraditional => {
                self.points_in_pairs(part, &text)
            }
            _ => self.points_of_letters(&text),
        }
    }

    /// Points of an alphabet whose characters take two bytes.
    fn points_in_pairs(self, part: &[u8], text: &[char]) -> f32 {
        let (mut points, mut at) = (0.0, 0);
        for (i, character) in text.iter().enumerate() {
            let pair = [part.get(at).copied().unwrap_or(0), part.get(at + 1).copied().unwrap_or(0)];
            if pair[0] < 128 {
                at += 1;
                continue;
            }
            let single = self == Self::Japanese && (0xa1..=0xdf).contains(&pair[0]);
            at += if single { 1 } else { 2 };
            let beside = |j: Option<usize>| {
                j.and_then(|j| text.get(j)).is_some_and(|c| c.is_ascii_alphabetic())
            };
            let mut value = if single { -0.6 } else { self.points_of_pair(pair) };
            if beside(i.checked_sub(1)) || beside(Some(i + 1)) {
                value -= 0.7;
            }
            if self.common().contains(*character) {
                value += 0.65;
            }
            points += if single { value } else { 2.0 * value };
        }
        points
    }

    /// Points of a character by where it stands in its table: the usual ones come first there.
    fn points_of_pair(self, [lead, trail]: [u8; 2]) -> f32 {
        let in_table = lead >= 0xa1 && trail >= 0xa1;
        match self {
            Self::Korean => match lead {
                _ if !in_table => -0.8,
                0xb0..=0xc8 => 0.35,
                // Chinese characters, which names in Korean have no longer.
                0xca..=0xfd => -0.8,
                _ => -0.5,
            },
            Self::Japanese => match (lead, trail) {
                (0x82, 0x9f..=0xf1) | (0x83, 0x40..=0x96) | (0x81, 0x5b) => 1.0,
                (0x81, _) => -0.2,
                (0x88, 0x9f..) | (0x89..=0x97, _) | (0x98, ..=0x72) => 0.3,
                _ => -0.6,
            },
            Self::ChineseSimplified => match lead {
                _ if !in_table => -0.8,
                0xb0..=0xd7 => 0.3,
                0xd8..=0xf7 => -0.2,
                _ => -0.5,
            },
            _ => match lead {
                0xa4..=0xc6 => 0.3,
                _ => -0.4,
            },
        }
    }

    /// Points of an alphabet whose characters take one byte.
    fn points_of_letters(self, text: &[char]) -> f32 {
        let latin = matches!(
            self,
            Self::WesternDos
                | Self::CentralDos
                | Self::TurkishDos
                | Self::Western
                | Self::Central
                | Self::Turkish
        );
        let mut points = 0.0;
        for (i, &character) in text.iter().enumerate() {
            if character.is_ascii() {
                continue;
            }
            let before = i.checked_sub(1).map(|i| text[i]).filter(|c| c.is_alphabetic());
            let after = text.get(i + 1).copied().filter(|c| c.is_alphabetic());
            points += if !self.has_letter(character) {
                -2.0
            } else if before.is_some_and(char::is_lowercase) && character.is_uppercase() {
                -1.5
            } else {
                let usual = if self.common().contains(character) { 1.0 } else { 0.4 };
                let beside = [before, after].into_iter().flatten();
                // A word of Latin letters has few that are no ASCII; one of other letters has no ASCII letters.
                match beside.clone().any(|c| c.is_ascii()) {
                    true if latin => usual,
                    false if latin => usual - if beside.count() > 0 { 1.4 } else { 0.9 },
                    true => -1.5,
                    false if beside.count() == 0 => 0.2,
                    false if character.is_uppercase() && before.is_some() => 0.6 * usual,
                    false => usual,
                }
            };
        }
        points
    }

    fn has_letter(self, character: char) -> bool {
        match self {
            Self::GreekDos | Self::Greek => ('\u{370}'..='\u{3ff}').contains(&character),
            Self::HebrewDos => ('\u{5d0}'..='\u{5ea}').contains(&character),
            Self::CyrillicDos | Self::Cyrillic => ('\u{400}'..='\u{4ff}').contains(&character),
            Self::Thai => ('\u{e01}'..='\u{e4e}').contains(&character),
            _ => character.is_alphabetic() && ('\u{c0}'..='\u{24f}').contains(&character),
        }
    }

    /// Characters that its languages use most.
    fn common(self) -> &'static str {
        match self {
            Self::Korean => KOREAN,
            Self::Japanese => JAPANESE,
            Self::ChineseSimplified => SIMPLIFIED,
            Self::ChineseTraditional => TRADITIONAL,
            Self::WesternDos | Self::Western => "äöüßéèêëáàâíîïóôúñçåøæãõÄÖÜÉÅØ",
            Self::CentralDos | Self::Central => "áéíóúýčďěňřšťůžąćęłńśźżőűöüäăâîşţđČŘŠŽŁŚŻ",
            Self::TurkishDos | Self::Turkish => "çğıöşüÇĞİÖŞÜ",
            Self::GreekDos | Self::Greek => "αάεέηήιίοόωώτσςνρκλμπυύ",
            Self::HebrewDos => "",
            Self::CyrillicDos | Self::Cyrillic => "оеаинтсрвлкмдпуы",
            _ => "กขคงจชดตถทนบปพมยรลวสหอะาิีุูเแโไใ่้์ัำ",
        }
    }
}

/// Syllables that Korean uses most.
const KOREAN: &str = "\
    가각간갈감갑강개객거건걸검것게겨격견결경계고곡골곰공과관광괴교구국군굴굽궁권귀규균그극근글금급기긴길김까깨꼬꽃꿀\
    끼나낙난날남납낭내냉너널네녀년노녹논놀농뇌누눈뉴느늘능니님다단달담당대댁더덕던데도독돈돌동돼되두둑둘뒤드득든들등\
    디따딸때또뚜라락란람랑래량러레려력련령로록론롱료루류르른를름리린림립마막만말맛망매맥머먹멀메며면명모목몬몰무묵문\
    물미민밀바박반발밤밥방배백뱀버번벌범법베벽변별병보복본볼봄봉부북분불붉붓비빈빛빵사산살삼상새색생서석선설섬성세센\
    소속손솔송쇠수숙순술숲스슬습승시식신실심십싸쌀쓰씨아악안알암앙애야약양어억언얼엄업에여역연열염엽영예오옥온올옷와\
    완왕외요용우운울움원월위유육윤율은을음응의이인일임입잉자작잔잠장재쟁저적전절점접정제조족존종좋주죽준중쥐즈즉증지\
    직진질집짜차착찬찰참창채책처천철첨청체초촉총추축춘출충취측층치칙친칠침카커컵케코콘콜쿠크키타탁탄탈탐탑태택터테텔\
    토통투튀튤트특티틴파판팔패퍼페편평포폭표푸풀품풍프플피필하학한할함합항해핵행향허험헤혀현혈협형호혹혼홍화확환활황\
    회획효후훈휘휴흑흐흰희히힘";

/// Characters from China that Japanese names use most; its own count by their place in the table.
const JAPANESE: &str = "\
    花木山川日本人大小中犬猫鳥魚虫馬牛車海空桜梅菊松竹田青赤白黒黄緑写真画像新上下年月水火金土東西南北学校正常異良品\
    不葵向";

/// Characters that Chinese uses most, as they are written on the mainland.
const SIMPLIFIED: &str = "\
    的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家\
    种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十\
    民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯\
    月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女\
    变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基\
    眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今\
    切院让识候带导争运花木红黄黑蓝绿猫狗鸟鱼牛羊车菊玫瑰香蒲英树叶草图片照坏汽飞狼虎鹿兔鼠猪鸡鸭熊苹蕉橙桃梨葡萄瓜豆\
    麦米稻棉玉病斑虫健康异良缺陷裂纹划痕污";

/// The same as they are written on Taiwan.
const TRADITIONAL: &str = "\
    的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作里用道行所然家\
    種事成方多經去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日者意無力長把機十民公工使情\
    明性知全三又關點正業外將兩高間由問最重物手應向頭文體美相見等新果加西月話合回特代內信表化老世位度門常先海通教東聲\
    立水名真論處走各入口平氣題活更別打女變四神何電數安少報太量感建件計期市直山金書非白界光放強像王象色路記南品類北花\
    木紅黃黑藍綠貓狗鳥魚牛羊車菊玫瑰香蒲英樹葉草圖片照壞鬱葵";

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// The bytes of a text; the tables of code pages are read backwards.
    fn encoded(alphabet: Alphabet, text: &str) -> Vec<u8> {
        let pairs = matches!(
            alphabet,
            Alphabet::Korean
                | Alphabet::Japanese
                | Alphabet::ChineseSimplified
                | Alphabet::ChineseTraditional
        );
        text.chars()
            .flat_map(|character| {
                let mut candidates = (0..=255u8).map(|byte| vec![byte]).collect::<Vec<_>>();
                if pairs && !character.is_ascii() {
                    candidates = (0x81..=0xfe)
                        .flat_map(|lead| (0x40..=0xfe).map(move |trail| vec![lead, trail]))
                        .collect();
                }
                let mut same = candidates.into_iter().filter(|bytes| {
                    alphabet.decode(bytes).as_deref() == Some(character.encode_utf8(&mut [0; 4]))
                });
                same.next().unwrap_or_else(|| panic!("{character} is not in {alphabet:?}"))
            })
            .collect()
    }

    #[test]
    fn every_windows_is_read_in_its_own_alphabet() {
        use Alphabet::*;
        for (alphabet, classes) in [
            (Korean, ["장미", "튤립", "해바라기", "민들레"].as_slice()),
            (Korean, &["강아지", "고양이"]),
            (Korean, &["정상", "불량"]),
            (Korean, &["꽃"]),
            (Japanese, &["ひなぎく", "たんぽぽの花"]),
            (Japanese, &["バラ", "チューリップ"]),
            (Japanese, &["向日葵", "桜"]),
            (ChineseSimplified, &["玫瑰", "郁金香", "向日葵", "蒲公英", "雏菊"]),
            (ChineseSimplified, &["猫", "狗", "汽车"]),
            (ChineseTraditional, &["玫瑰", "鬱金香", "向日葵"]),
            (WesternDos, &["Gänseblümchen", "Löwenzähne"]),
            (WesternDos, &["tournesol fané", "été", "forêt"]),
            (WesternDos, &["girassóis", "botões"]),
            (CentralDos, &["růže", "tulipán", "slunečnice"]),
            (CentralDos, &["róża", "słonecznik", "żółty"]),
            (CyrillicDos, &["Роза", "Тюльпан", "одуванчик"]),
            (Cyrillic, &["Роза", "Тюльпан", "одуванчик"]),
            (Western, &["Gänseblümchen", "Löwenzahn", "forêt"]),
            (Central, &["růže", "slunečnice", "žlutá"]),
            (GreekDos, &["τριαντάφυλλο", "τουλίπα"]),
            (Greek, &["τριαντάφυλλο", "τουλίπα"]),
            (HebrewDos, &["ורד", "צבעוני"]),
            (TurkishDos, &["ayçiçeği", "lale", "kırmızı gül"]),
            (Thai, &["กุหลาบ", "ทานตะวัน"]),
        ] {
            let bytes: Vec<Vec<u8>> =
                classes.iter().map(|class| encoded(alphabet, &format!("{class}/1.png"))).collect();
            let names: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
            let guess = Alphabet::of(&names);
            let read: Vec<String> =
                names.iter().map(|name| guess.decode(name).unwrap_or_default()).collect();
            let meant: Vec<String> = classes.iter().map(|class| format!("{class}/1.png")).collect();
            assert_eq!(read, meant, "{guess:?} in place of {alphabet:?}");
        }
    }
}

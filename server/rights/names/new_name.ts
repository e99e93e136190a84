/**
 * What a new name may be made of. Names that exist stay as they are: these rules are asked at a registration alone.
 * `protocol/names.ts` has the rules that all names have to keep. What belongs to which script is as the runtime's own
 * version of Unicode says. Pure.
 */

import { isAscii } from "./skeleton.ts";

/**
 * The scripts that may stand together: those of Japanese, of Korean, and of Chinese with its phonetic letters, as UTS
 * 39 has them (section 5.1).
 */
const TOGETHER: readonly (readonly string[])[] = [
  ["Han", "Hiragana", "Katakana"],
  ["Han", "Hangul"],
  ["Han", "Bopomofo"],
];

/** The scripts of Unicode 17 with letters, by their names in regular expressions. A runtime may not know all. */
const SCRIPTS = `Latin Cyrillic Greek Arabic Hebrew Han Hiragana Katakana Hangul Devanagari Thai Bengali Tamil Telugu
  Georgian Armenian Adlam Ahom Anatolian_Hieroglyphs Avestan Balinese Bamum Bassa_Vah Batak Beria_Erfe Bhaiksuki
  Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian
  Coptic Cuneiform Cypriot Cypro_Minoan Deseret Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan Elymaic
  Ethiopic Garay Glagolitic Gothic Grantha Gujarati Gunjala_Gondi Gurmukhi Gurung_Khema Hanifi_Rohingya Hanunoo Hatran
  Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Kawi Kayah_Li Kharoshthi
  Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani
  Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive
  Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko
  Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian
  Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa
  Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham Sidetic SignWriting Sinhala
  Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Tai_Yo
  Takri Tangsa Tangut Tibetan Tifinagh Tirhuta Todhri Tolong_Siki Toto Tulu_Tigalari Ugaritic Vai Vithkuqi Wancho
  Warang_Citi Yezidi Yi Zanabazar_Square`.split(/\s+/);

/** Patterns that were needed so far, by their text: to make one takes the runtime some milliseconds. */
const patterns = new Map<string, RegExp | undefined>();

/** Why nobody can register `name` anew, in words; `undefined` if anybody can. */
export function newNameProblem(name: string): string | undefined {
  if (name !== name.normalize("NFC")) return "the username is not in Unicode's form NFC";
  if (/\p{Bidi_Control}/u.test(name)) return "the username has a character that turns the direction of text";
  if (/\p{Default_Ignorable_Code_Point}/u.test(name)) return "the username has an invisible character";
  if (/^\p{White_Space}|\p{White_Space}$/u.test(name)) return "the username begins or ends with a space";
  if (!isOfOneScript(name)) return "the username has letters of more than one script";
  return undefined;
}

/** Whether all letters of `name` belong to one script. What belongs to many, as digits and signs do, goes with each. */
export function isOfOneScript(name: string): boolean {
  // All of ASCII is Latin, or common.
  if (isAscii(name)) return true;
  const letter = [...name].find((character) => !/^[\p{Script=Common}\p{Script=Inherited}\p{Cn}]$/u.test(character));
  if (letter === undefined) return true;
  const script = SCRIPTS.find((each) => pattern(`^\\p{Script=${each}}$`)?.test(letter));
  // A script that is newer than this list, or than the runtime, goes with nothing else that is known.
  if (script === undefined) return true;
  return [[script], ...TOGETHER.filter((scripts) => scripts.includes(script))].some((scripts) => {
    const classes = [...scripts, "Common", "Inherited"].map((each) => `\\p{Script_Extensions=${each}}`);
    return pattern(`^[${classes.join("")}\\p{Cn}]*$`)?.test(name);
  });
}

/** `undefined` where this runtime's version of Unicode is older than a script in it. */
function pattern(text: string): RegExp | undefined {
  if (patterns.has(text)) return patterns.get(text);
  let made: RegExp | undefined;
  try {
    made = new RegExp(text, "u");
  } catch {
    made = undefined;
  }
  patterns.set(text, made);
  return made;
}

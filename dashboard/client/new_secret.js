// @ts-check
/**
 * Which new passwords this page takes, as `client/login/new_secret.ts` has it for the terminal. A test keeps the two
 * equal. Pure.
 */

/** The shortest new password, in characters (code points). */
export const MIN_NEW_SECRET_CHARACTERS = 8;

/** The passwords that people choose most often, of those that are long enough. */
export const COMMON_SECRETS = new Set(
  `00000000 01234567 0123456789 10203040 11111111 111111111 1111111111 11112222 11223344 12121212 123123123 12312312
  1234512345 12341234 12345678 123456789 1234567890 12345678910 1234567891 123456789a 1234qwer 123qweasd 147258369
  159753456 1a2b3c4d 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qazxsw2 22222222 31415926 55555555 66666666 77777777 789456123
  87654321 88888888 987654321 9876543210 99999999 a1234567 a12345678 a123456789 aa123456 aaaaaaaa abc12345 abc123456
  abcd1234 abcdefgh abcdefg1 admin123 admin1234 administrator asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl asdfjkl;
  babygirl baseball basketball beautiful blink182 butterfly caroline changeme charlie1 chocolate christian computer
  cristina danielle danielle1 december dragon12 einstein elephant facebook football football1 friendship garfield
  hello123 helloworld iloveyou iloveyou1 iloveyou2 internet jennifer jessica1 jordan23 jonathan katherine kristina
  letmein1 letmein123 liverpool lovelove loveyou1 manchester maradona marseille maverick metallica michael1 michelle
  midnight minecraft mustang1 nicholas nintendo november october1 p@ssw0rd p@ssword pa55word pakistan passw0rd password
  password! password1 password12 password123 password1234 patricia pokemon1 princess princess1 q1w2e3r4 q1w2e3r4t5
  qazwsxedc qwer1234 qwerasdf qwert123 qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyui qwertyuiop rainbow1 samantha
  scorpion security september shadow12 slipknot snowball spiderman starwars steelers sunshine sunshine1 superman
  superman1 superstar test1234 testtest trustno1 tinkerbell undertaker valentina victoria webmaster welcome1 welcome123
  whatever william1 wordpass xxxxxxxx yankees1 zaq12wsx zxcvbnm1 zxcvbnm123 zzzzzzzz`.split(/\s+/),
);

/**
 * Why nobody should take a password for a new account, as a sentence.
 *
 * @param {string} secret
 * @returns {string | undefined}
 */
export function newSecretProblem(secret) {
  if ([...secret].length < MIN_NEW_SECRET_CHARACTERS) {
    return `A new password needs ${MIN_NEW_SECRET_CHARACTERS} characters at least.`;
  }
  return COMMON_SECRETS.has(secret.toLowerCase()) ? "This password is one that others try first." : undefined;
}

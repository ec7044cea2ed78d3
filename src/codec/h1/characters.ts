/** Character classes of RFC 9110 and RFC 9112 as tables over a byte. */

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;
export const COLON = 58;
export const SEMICOLON = 59;

/** tchar (RFC 9110 section 5.6.2): its lower-case form; 0: not a tchar. */
export const tokenLower = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") tokenLower[c.charCodeAt(0)] = c.charCodeAt(0);
for (let c = 65; c <= 90; c++) tokenLower[c] = c + 32;

/** 1: field-vchar, obs-text, SP or HTAB (RFC 9110 section 5.5). */
export const fieldByte = new Uint8Array(256);
for (let c = 0; c < 256; c++) fieldByte[c] = (c >= 32 && c !== 127) || c === TAB ? 1 : 0;

/** 1: may stand in a request target. As Envoy, every visible ASCII character. */
export const targetByte = new Uint8Array(256);
for (let c = 33; c <= 126; c++) targetByte[c] = 1;

/** Value of a hexadecimal digit; -1: not one. */
export const hexValue = new Int8Array(256).fill(-1);
for (let c = 0; c < 10; c++) hexValue[48 + c] = c;
for (let c = 0; c < 6; c++) hexValue[65 + c] = hexValue[97 + c] = 10 + c;

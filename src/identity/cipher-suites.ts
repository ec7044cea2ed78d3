/** Cipher suites of TLS 1.2 and below that BoringSSL and OpenSSL both have, by their names and those of the RFCs. */
const standardNames: Readonly<Record<string, string>> = {
  'ECDHE-ECDSA-AES128-GCM-SHA256': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256': 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384': 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384': 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305': 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305': 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-SHA256': 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256',
  'ECDHE-RSA-AES128-SHA256': 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
  'ECDHE-ECDSA-AES128-SHA': 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
  'ECDHE-RSA-AES128-SHA': 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
  'ECDHE-ECDSA-AES256-SHA': 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
  'ECDHE-RSA-AES256-SHA': 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
  'AES128-GCM-SHA256': 'TLS_RSA_WITH_AES_128_GCM_SHA256',
  'AES256-GCM-SHA384': 'TLS_RSA_WITH_AES_256_GCM_SHA384',
  'AES128-SHA': 'TLS_RSA_WITH_AES_128_CBC_SHA',
  'AES256-SHA': 'TLS_RSA_WITH_AES_256_CBC_SHA',
};

export const cipherNames: readonly string[] = Object.keys(standardNames);

const byStandardName = new Map(Object.entries(standardNames).map(([name, standard]) => [standard, name]));

/** What BoringSSL takes besides: words for many suites at once, operators, suites with shared keys and 3DES. */
const beyond = new Set(
  'ALL DEFAULT HIGH FIPS kRSA kECDHE kEECDH kPSK aRSA aECDSA ECDSA aPSK ECDHE EECDH RSA PSK 3DES AES128 AES256 AES AESGCM CHACHA20 SHA1 SHA SSLv3 TLSv1 TLSv1.2 DES-CBC3-SHA PSK-AES128-CBC-SHA PSK-AES256-CBC-SHA ECDHE-PSK-AES128-CBC-SHA ECDHE-PSK-AES256-CBC-SHA ECDHE-PSK-CHACHA20-POLY1305 @STRENGTH'.split(
    ' ',
  ),
);

/** The suites of `cipher_suites`, groups of equal preference as `[A|B]`, or why there are none. */
export interface CipherSuites {
  readonly names: readonly string[];
  readonly problem: string;
}

/** @param configured entries, each of which may hold several between colons */
export function readCipherSuites(configured: readonly string[]): CipherSuites {
  const text = configured.join(':');
  const entries = text.split(':').filter((entry) => entry !== '');
  const bad = new Set<string>();
  const refused = new Set<string>();
  let isMalformed = false;
  const names = entries.map((entry) => {
    const group = /^\[([^[\]]+)\]$/.exec(entry);
    if (group === null && /[[\]|]/.test(entry)) isMalformed = true;
    const members = (group?.[1] ?? entry).split('|').map((name) => ownName(name, bad, refused));
    return group === null ? members[0] : `[${members.join('|')}]`;
  });
  if (bad.size > 0 || isMalformed) {
    const problem = `Failed to initialize cipher suites ${text}. The following ciphers were rejected when tried individually: ${[...bad].filter((name) => name !== '' && standardNames[name] === undefined).join(', ')}`;
    return { names: [], problem };
  }
  if (refused.size === 0) return { names, problem: '' };
  const problem = `cipher suites by '${[...refused].join("', '")}' are not supported by sekisho; name them one by one: ${cipherNames.join(', ')}`;
  return { names: [], problem };
}

function ownName(name: string, bad: Set<string>, refused: Set<string>): string {
  if (standardNames[name] !== undefined) return name;
  const own = byStandardName.get(name);
  if (own !== undefined) return own;
  const words = name.replace(/^[-!+]/, '').split('+');
  const isKnown = words.every((word) => beyond.has(word) || standardNames[word] !== undefined);
  if (isKnown) refused.add(name);
  else
    for (const word of words)
      if (!beyond.has(word) && standardNames[word] === undefined) bad.add(word.replace(/[[\]]/g, ''));
  return name;
}

/** What both know as `ecdh_curves`. */
export const curveNames: readonly string[] = [
  'X25519',
  'x25519',
  'P-256',
  'prime256v1',
  'P-384',
  'secp384r1',
  'P-521',
  'secp521r1',
  'X25519MLKEM768',
  'MLKEM1024',
];

/** What both know as `signature_algorithms`, by the names that TLS 1.3 has for them. */
const signatureAlgorithms: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'rsa_pkcs1_sha1',
      'rsa_pkcs1_sha256',
      'rsa_pkcs1_sha384',
      'rsa_pkcs1_sha512',
      'rsa_pss_rsae_sha256',
      'rsa_pss_rsae_sha384',
      'rsa_pss_rsae_sha512',
      'ecdsa_sha1',
      'ecdsa_secp256r1_sha256',
      'ecdsa_secp384r1_sha384',
      'ecdsa_secp521r1_sha512',
      'ed25519',
      'mldsa44',
      'mldsa65',
      'mldsa87',
    ].map((name) => [name, name]),
  ),
  'RSA+SHA1': 'rsa_pkcs1_sha1',
  'RSA+SHA256': 'rsa_pkcs1_sha256',
  'RSA+SHA384': 'rsa_pkcs1_sha384',
  'RSA+SHA512': 'rsa_pkcs1_sha512',
  'RSA-PSS+SHA256': 'rsa_pss_rsae_sha256',
  'RSA-PSS+SHA384': 'rsa_pss_rsae_sha384',
  'RSA-PSS+SHA512': 'rsa_pss_rsae_sha512',
  'PSS+SHA256': 'rsa_pss_rsae_sha256',
  'PSS+SHA384': 'rsa_pss_rsae_sha384',
  'PSS+SHA512': 'rsa_pss_rsae_sha512',
  'ECDSA+SHA1': 'ecdsa_sha1',
  'ECDSA+SHA256': 'ecdsa_secp256r1_sha256',
  'ECDSA+SHA384': 'ecdsa_secp384r1_sha384',
  'ECDSA+SHA512': 'ecdsa_secp521r1_sha512',
};

export const signatureAlgorithmNames: readonly string[] = Object.keys(signatureAlgorithms);

/** The names that TLS 1.3 has for algorithms of either way of naming; what is unknown stays as it is. */
export function canonicalSignatureAlgorithm(name: string): string {
  return signatureAlgorithms[name] ?? name;
}

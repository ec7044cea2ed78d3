/** Numbers of the extensions that are read here (IANA, TLS ExtensionType Values). */
export const Extension = {
  ServerName: 0,
  SupportedGroups: 10,
  PointFormats: 11,
  SignatureAlgorithms: 13,
  Alpn: 16,
  SupportedVersions: 43,
  EncryptedClientHello: 0xfe0d,
} as const;

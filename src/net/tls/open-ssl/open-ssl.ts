import { loadFfi, type Ffi } from '../../ffi.ts';

/** Address of a C object, or of memory; 0n: NULL. */
export type Pointer = bigint;

/** What OpenSSL calls back: its arguments and result as in C. The address is what is handed to OpenSSL. */
export type CallbackSignature = readonly [parameters: string, result: string];

/**
 * Signatures of the functions of OpenSSL 3.5 that are used, in the words of `node:ffi`. Node's own binary has them in it
 * and exports them; nothing is loaded beside it. What is called for every record has addresses and 32-bit numbers only: those
 * cost 20 ns, where a buffer or an i64 takes the FFI's slow way of 100 to 300.
 */
const signatures = {
  OPENSSL_init_ssl: ['u64 u64', 'i32'],
  CRYPTO_malloc: ['u64 u64 i32', 'u64'],
  OPENSSL_sk_num: ['u64', 'i32'],
  OPENSSL_sk_value: ['u64 i32', 'u64'],
  OPENSSL_sk_new_null: ['', 'u64'],
  OPENSSL_sk_push: ['u64 u64', 'i32'],
  OPENSSL_sk_free: ['u64', 'void'],

  ERR_get_error: ['', 'u64'],
  ERR_clear_error: ['', 'void'],
  ERR_reason_error_string: ['u64', 'u64'],

  BIO_new: ['u64', 'u64'],
  BIO_s_mem: ['', 'u64'],
  BIO_new_mem_buf: ['buffer i32', 'u64'],
  BIO_up_ref: ['u64', 'i32'],
  BIO_free: ['u64', 'i32'],
  BIO_ctrl: ['u64 i32 i64 u64', 'i64'],
  BIO_ctrl_pending: ['u64', 'i32'],
  BIO_write: ['u64 u64 i32', 'i32'],
  BIO_read: ['u64 u64 i32', 'i32'],

  TLS_server_method: ['', 'u64'],
  TLS_client_method: ['', 'u64'],
  SSL_CTX_new: ['u64', 'u64'],
  SSL_CTX_free: ['u64', 'void'],
  SSL_CTX_ctrl: ['u64 i32 i64 u64', 'i64'],
  SSL_CTX_callback_ctrl: ['u64 i32 u64', 'i64'],
  SSL_CTX_set_options: ['u64 u64', 'u64'],
  SSL_CTX_set_cipher_list: ['u64 string', 'i32'],
  SSL_CTX_set_ciphersuites: ['u64 string', 'i32'],
  SSL_CTX_set_security_level: ['u64 i32', 'void'],
  SSL_CTX_set_num_tickets: ['u64 u64', 'i32'],
  SSL_CTX_set_timeout: ['u64 i64', 'i64'],
  SSL_CTX_set_session_id_context: ['u64 buffer u32', 'i32'],
  SSL_CTX_use_certificate: ['u64 u64', 'i32'],
  SSL_CTX_use_PrivateKey: ['u64 u64', 'i32'],
  SSL_CTX_check_private_key: ['u64', 'i32'],
  SSL_CTX_add_client_CA: ['u64 u64', 'i32'],
  SSL_CTX_get_cert_store: ['u64', 'u64'],
  SSL_CTX_get0_certificate: ['u64', 'u64'],
  SSL_CTX_get0_privatekey: ['u64', 'u64'],
  SSL_CTX_set_verify: ['u64 i32 u64', 'void'],
  SSL_CTX_set_verify_depth: ['u64 i32', 'void'],
  SSL_CTX_set_cert_verify_callback: ['u64 u64 u64', 'void'],
  SSL_CTX_set_alpn_select_cb: ['u64 u64 u64', 'void'],
  SSL_CTX_set_client_hello_cb: ['u64 u64 u64', 'void'],
  SSL_CTX_set_keylog_callback: ['u64 u64', 'void'],
  SSL_CTX_sess_set_new_cb: ['u64 u64', 'void'],
  SSL_CTX_set_tlsext_ticket_key_evp_cb: ['u64 u64', 'i32'],

  SSL_new: ['u64', 'u64'],
  SSL_free: ['u64', 'void'],
  SSL_ctrl: ['u64 i32 i64 u64', 'i64'],
  SSL_set_bio: ['u64 u64 u64', 'void'],
  SSL_set_accept_state: ['u64', 'void'],
  SSL_set_connect_state: ['u64', 'void'],
  SSL_set_SSL_CTX: ['u64 u64', 'u64'],
  SSL_set_session: ['u64 u64', 'i32'],
  SSL_set_alpn_protos: ['u64 buffer u32', 'i32'],
  SSL_do_handshake: ['u64', 'i32'],
  SSL_get_error: ['u64 i32', 'i32'],
  SSL_read: ['u64 u64 i32', 'i32'],
  SSL_write: ['u64 u64 i32', 'i32'],
  SSL_shutdown: ['u64', 'i32'],
  SSL_get_version: ['u64', 'u64'],
  SSL_get_servername: ['u64 i32', 'u64'],
  SSL_get_pending_cipher: ['u64', 'u64'],
  SSL_get_current_cipher: ['u64', 'u64'],
  SSL_CIPHER_get_name: ['u64', 'u64'],
  SSL_get0_group_name: ['u64', 'u64'],
  SSL_get_peer_signature_type_nid: ['u64 buffer', 'i32'],
  SSL_session_reused: ['u64', 'i32'],
  SSL_get0_alpn_selected: ['u64 buffer buffer', 'void'],
  SSL_get0_peer_certificate: ['u64', 'u64'],
  SSL_get_peer_cert_chain: ['u64', 'u64'],
  SSL_get0_verified_chain: ['u64', 'u64'],
  SSL_get_SSL_CTX: ['u64', 'u64'],
  SSL_get_session: ['u64', 'u64'],
  SSL_SESSION_get_id: ['u64 buffer', 'u64'],
  SSL_SESSION_get_protocol_version: ['u64', 'i32'],
  SSL_SESSION_up_ref: ['u64', 'i32'],
  SSL_SESSION_free: ['u64', 'void'],
  SSL_clear_options: ['u64 u64', 'u64'],
  SSL_client_hello_get0_ciphers: ['u64 buffer', 'u64'],
  SSL_client_hello_get0_ext: ['u64 u32 buffer buffer', 'i32'],

  PEM_read_bio_X509: ['u64 u64 u64 u64', 'u64'],
  PEM_read_bio_X509_CRL: ['u64 u64 u64 u64', 'u64'],
  PEM_read_bio_PrivateKey: ['u64 u64 u64 buffer', 'u64'],
  d2i_PKCS12_bio: ['u64 u64', 'u64'],
  PKCS12_parse: ['u64 buffer buffer buffer buffer', 'i32'],
  PKCS12_free: ['u64', 'void'],
  EVP_PKEY_free: ['u64', 'void'],
  EVP_PKEY_get_base_id: ['u64', 'i32'],
  X509_get0_pubkey: ['u64', 'u64'],
  EVP_PKEY_get_bits: ['u64', 'i32'],
  X509_free: ['u64', 'void'],
  X509_get_key_usage: ['u64', 'u32'],
  X509_CRL_free: ['u64', 'void'],
  i2d_X509: ['u64 u64', 'i32'],
  X509_STORE_add_cert: ['u64 u64', 'i32'],
  X509_STORE_add_crl: ['u64 u64', 'i32'],
  X509_STORE_set_flags: ['u64 u64', 'i32'],
  X509_STORE_CTX_get0_cert: ['u64', 'u64'],
  X509_STORE_CTX_get0_untrusted: ['u64', 'u64'],
  X509_STORE_CTX_get_error: ['u64', 'i32'],
  X509_STORE_CTX_set_error: ['u64 i32', 'void'],
  X509_STORE_CTX_get_error_depth: ['u64', 'i32'],
  X509_STORE_CTX_set0_trusted_stack: ['u64 u64', 'void'],
  X509_STORE_CTX_set0_crls: ['u64 u64', 'void'],
  X509_STORE_CTX_set_flags: ['u64 u64', 'void'],
  X509_verify_cert: ['u64', 'i32'],
  X509_verify_cert_error_string: ['i64', 'u64'],

  EVP_aes_256_cbc: ['', 'u64'],
  EVP_EncryptInit_ex: ['u64 u64 u64 buffer buffer', 'i32'],
  EVP_DecryptInit_ex: ['u64 u64 u64 buffer u64', 'i32'],
  EVP_MAC_CTX_set_params: ['u64 buffer', 'i32'],
} as const satisfies Record<string, CallbackSignature>;

interface ArgumentTypes {
  u64: Pointer;
  i64: bigint;
  u32: number;
  i32: number;
  string: string;
  buffer: Uint8Array;
}
interface ResultTypes extends Omit<ArgumentTypes, 'string' | 'buffer'> {
  void: void;
}
type Arguments<Text extends string> = Text extends ''
  ? []
  : Text extends `${infer First} ${infer Rest}`
    ? [ArgumentTypes[First & keyof ArgumentTypes], ...Arguments<Rest>]
    : [ArgumentTypes[Text & keyof ArgumentTypes]];
type Functions = {
  readonly [Name in keyof typeof signatures]: (
    ...parameters: Arguments<(typeof signatures)[Name][0]>
  ) => ResultTypes[(typeof signatures)[Name][1] & keyof ResultTypes];
};

/** OpenSSL's functions, and what is needed around them. */
export type OpenSsl = Functions & {
  /** A C string as text; empty for NULL. */
  text(at: Pointer): string;
  /** A copy of memory. */
  copy(at: Pointer, size: number): Buffer;
  /** Memory itself, as long as its owner keeps it. */
  view(at: Pointer, size: number): Buffer;
  addressOf(bytes: Uint8Array): Pointer;
  setPointer(at: Pointer, value: Pointer): void;
  setInt(at: Pointer, value: number): void;
  setByte(at: Pointer, value: number): void;
  /** The address of a function that OpenSSL may call, in this thread, inside one of the calls above. It must not throw. */
  callback(signature: CallbackSignature, run: (...parameters: never[]) => unknown): Pointer;
};

/** OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS: errors have words. */
const loadStrings = 0x0020_0002n;

function open(): OpenSsl {
  const ffi = loadFfi();
  const library = new ffi.DynamicLibrary(null);
  const functions: Record<string, unknown> = {};
  for (const [name, signature] of Object.entries(signatures)) functions[name] = bind(library, name, signature);
  functions.text = (at: Pointer) => (at === 0n ? '' : (ffi.toString(at) ?? ''));
  functions.copy = (at: Pointer, size: number) => Buffer.from(ffi.toBuffer(at, size, true));
  functions.view = (at: Pointer, size: number) => ffi.toBuffer(at, size, false);
  functions.addressOf = (bytes: Uint8Array) => ffi.getRawPointer(bytes);
  functions.setPointer = (at: Pointer, value: Pointer) => ffi.setUint64(at, 0, value);
  functions.setInt = (at: Pointer, value: number) => ffi.setInt32(at, 0, value);
  functions.setByte = (at: Pointer, value: number) => ffi.setUint8(at, 0, value);
  functions.callback = (signature: CallbackSignature, run: (...parameters: never[]) => unknown) =>
    library.registerCallback(shape(signature), run);
  const openSsl = functions as unknown as OpenSsl;
  openSsl.OPENSSL_init_ssl(loadStrings, 0n);
  return openSsl;
}

type Shape = Parameters<InstanceType<Ffi['DynamicLibrary']>['getFunction']>[1];

function shape([parameters, result]: CallbackSignature): Shape {
  return { arguments: parameters === '' ? [] : parameters.split(' '), return: result } as Shape;
}

/** A function that this Node's OpenSSL lacks is missed when it is called, not before. */
function bind(library: InstanceType<Ffi['DynamicLibrary']>, name: string, signature: CallbackSignature): unknown {
  try {
    return library.getFunction(name, shape(signature));
  } catch {
    return () => {
      throw new Error(`the OpenSSL of Node ${process.version} has no ${name}`);
    };
  }
}

let opened: OpenSsl | null = null;

/** Opened at the first use: a process without TLS does not load it. Throws where Node has no FFI. */
export function openOpenSsl(): OpenSsl {
  opened ??= open();
  return opened;
}

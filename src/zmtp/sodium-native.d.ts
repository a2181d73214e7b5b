/**
 * The functions of libsodium that this project uses. The first argument receives the result, and
 * must have the result's length.
 */
declare module "sodium-native" {
  interface Sodium {
    crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): void;
    crypto_scalarmult(shared: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): void;
    crypto_secretbox_easy(
      box: Uint8Array,
      plain: Uint8Array,
      nonce: Uint8Array,
      key: Uint8Array,
    ): void;
    /** @returns false if the box was not sealed with this key and nonce */
    crypto_secretbox_open_easy(
      plain: Uint8Array,
      box: Uint8Array,
      nonce: Uint8Array,
      key: Uint8Array,
    ): boolean;
  }
  const sodium: Sodium;
  // biome-ignore lint/style/noDefaultExport: the package has no other
  export default sodium;
}

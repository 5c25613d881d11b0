/* SPDX-License-Identifier: BSD-2-Clause */
/* Published vectors of the algorithms of child SAs; AES-GCM in ESP is in esp_gcm_vectors.h.
 *
 * Each names where it is from. Keys are followed by the salt where there is one; ICVs are cut as
 * ESP and AH cut them. IEEE 802.1AE's authenticate nothing but associated data, as GMAC does. */
#ifndef CIPHER_VECTORS_H
#define CIPHER_VECTORS_H

struct cipher_vector {
	const char *name, *cipher, *integ; /* one of the two; the other is empty */
	const char *key, *iv, *aad, *text, *sealed, *icv;
};

/* clang-format off */
static const struct cipher_vector cipher_vectors[] = {
	{ "RFC 3602, case 1", "aes-128-cbc", "",
	  "06a9214036b8a15b512e03d534120006",
	  "3dafba429d9eb430b422da802c9fac41",
	  "",
	  "53696e676c6520626c6f636b206d7367",
	  "e353779c1079aeb82708942dbe77181a",
	  "" },
	{ "RFC 3602, case 2", "aes-128-cbc", "",
	  "c286696d887c9aa0611bbb3e2025a45a",
	  "562e17996d093d28ddb3ba695a2e6f58",
	  "",
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1",
	  "" },
	{ "SP 800-38A, F.2.1", "aes-128-cbc", "",
	  "2b7e151628aed2a6abf7158809cf4f3c",
	  "000102030405060708090a0b0c0d0e0f",
	  "",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2",
	  "" },
	{ "SP 800-38A, F.2.3", "aes-192-cbc", "",
	  "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
	  "000102030405060708090a0b0c0d0e0f",
	  "",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a",
	  "" },
	{ "SP 800-38A, F.2.5", "aes-256-cbc", "",
	  "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "000102030405060708090a0b0c0d0e0f",
	  "",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
	  "" },
	{ "FIPS 81, table C3", "des-cbc", "",
	  "0123456789abcdef",
	  "1234567890abcdef",
	  "",
	  "4e6f77206973207468652074696d6520666f7220616c6c20",
	  "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
	  "" },
	{ "OpenSSL, evpciph DES-EDE3-CBC", "3des-cbc", "",
	  "0123456789abcdeff1e0d3c2b5a49786fedcba9876543210",
	  "fedcba9876543210",
	  "",
	  "37363534333231204e6f77206973207468652074696d6520666f722000000000",
	  "3fe301c962ac01d02213763c1cbd4cdc799657c064ecf5d41c673812cfde9675",
	  "" },
	{ "GCM, case 9", "aes-192-gcm", "",
	  "feffe9928665731c6d6a8f9467308308feffe9928665731ccafebabe",
	  "facedbaddecaf888",
	  "",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
	  "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
	  "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710acade256",
	  "9924a7c8587336bfb118024db8674a14" },
	{ "RFC 8439, 2.8.2", "chacha20-poly1305", "",
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	  "07000000",
	  "4041424344454647",
	  "50515253c0c1c2c3c4c5c6c7",
	  "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
	  "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
	  "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
	  "637265656e20776f756c642062652069742e",
	  "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
	  "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
	  "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
	  "3ff4def08e4b7a9de576d26586cec64b6116",
	  "1ae10b594f09e26a7e902ecbd0600691" },
	{ "RFC 7634, appendix A", "chacha20-poly1305", "",
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	  "a0a1a2a3",
	  "1011121314151617",
	  "0102030400000005",
	  "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
	  "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
	  "2425262728292a2b2c2d2e2f303132333435363701020204",
	  "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6"
	  "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3"
	  "cbec163fac469b502773f6fb94e664da9165b82829f641e0",
	  "76aaa8266b7fb0f7b11b369907e1ad43" },
	{ "RFC 2202, MD5 case 1", "", "hmac-md5-96",
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "",
	  "",
	  "4869205468657265",
	  "",
	  "9294727a3638bb1c13f48ef8" },
	{ "RFC 2202, MD5 case 3", "", "hmac-md5-96",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "",
	  "",
	  "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	  "dddddddddddddddddddddddddddddddddddd",
	  "",
	  "56be34521d144c88dbb8c733" },
	{ "RFC 2202, SHA-1 case 1", "", "hmac-sha1-96",
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "",
	  "",
	  "4869205468657265",
	  "",
	  "b617318655057264e28bc0b6" },
	{ "RFC 2202, SHA-1 case 3", "", "hmac-sha1-96",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "",
	  "",
	  "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	  "dddddddddddddddddddddddddddddddddddd",
	  "",
	  "125d7342b9ac11cd91a39af4" },
	{ "RFC 4868, AUTH256-1", "", "hmac-sha-256-128",
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "",
	  "",
	  "4869205468657265",
	  "",
	  "198a607eb44bfbc69903a0f1cf2bbdc5" },
	{ "RFC 4868, AUTH256-2", "", "hmac-sha-256-128",
	  "4a6566654a6566654a6566654a6566654a6566654a6566654a6566654a656665",
	  "",
	  "",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "",
	  "167f928588c5cc2eef8e3093caa0e87c" },
	{ "RFC 4868, AUTH384-1", "", "hmac-sha-384",
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "",
	  "",
	  "4869205468657265",
	  "",
	  "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973" },
	{ "RFC 4868, AUTH384-2", "", "hmac-sha-384",
	  "4a6566654a6566654a6566654a6566654a6566654a6566654a6566654a656665"
	  "4a6566654a6566654a6566654a656665",
	  "",
	  "",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "",
	  "2c7353974f1842fd66d53c452ca42122b28c0b594cfb184d" },
	{ "RFC 4868, AUTH512-1", "", "hmac-sha-512",
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "",
	  "",
	  "4869205468657265",
	  "",
	  "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8" },
	{ "RFC 4868, AUTH512-2", "", "hmac-sha-512",
	  "4a6566654a6566654a6566654a6566654a6566654a6566654a6566654a656665"
	  "4a6566654a6566654a6566654a6566654a6566654a6566654a6566654a656665",
	  "",
	  "",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "",
	  "cb370917ae8a7ce28cfd1d8f4705d6141c173b2a9362c15df235dfb251b15454" },
	{ "IEEE 802.1AE, C.1, 128", "", "aes-gmac-128",
	  "ad7a2bd03eac835a6f620fdcb506b34512153524",
	  "c0895e81b2c28465",
	  "",
	  "d609b1f056637a0d46df998d88e5222ab2c2846512153524c0895e8108000f10"
	  "1112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30"
	  "313233340001",
	  "",
	  "f09478a9b09007d06f46e9b6a1da25dd" },
	{ "IEEE 802.1AE, C.1, 256", "", "aes-gmac-256",
	  "e3c08a8f06c6e3ad95a70557b23f75483ce33021a9c72b7025666204c69c0b72"
	  "12153524",
	  "c0895e81b2c28465",
	  "",
	  "d609b1f056637a0d46df998d88e5222ab2c2846512153524c0895e8108000f10"
	  "1112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30"
	  "313233340001",
	  "",
	  "2f0bc5af409e06d609ea8b7d0fa5ea50" },
};
/* clang-format on */

#endif

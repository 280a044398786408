// SPDX-License-Identifier: MIT
/// @file
/// SHA-256 of bytes, by OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include <openssl/evp.h>

namespace certify_program {

/// 64 hexadecimal digits; empty if OpenSSL cannot compute it (a build without SHA-256).
inline std::string sha256(std::span<std::byte const> bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) return {};
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += {digits[digest[i] >> 4], digits[digest[i] & 15]};
  return text;
}

}  // namespace certify_program

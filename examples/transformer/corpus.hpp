// SPDX-License-Identifier: MIT
/// @file
/// The text a model learns: bytes as tokens, and the last tenth kept for validation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "embedding.hpp"

namespace transformer {

/// Bytes and tokens: the k-th of the bytes that occur, in ascending order, is token k.
class tokenizer {
 public:
  /// @throws domain_error if a byte is named twice or there are none.
  explicit tokenizer(std::string const& bytes_in_order);
  static tokenizer of_text(std::string const& text);

  std::string const& bytes() const { return bytes_; }
  index_t size() const { return static_cast<index_t>(bytes_.size()); }
  /// @throws domain_error if a byte has no token.
  std::vector<token> encode(std::string const& text) const;
  char decode(token of) const { return bytes_[static_cast<std::size_t>(of)]; }

 private:
  std::string bytes_;
  std::vector<token> token_of_;
};

struct corpus {
  tokenizer vocabulary;
  std::vector<token> tokens;
  /// Where validation begins: 90 % of the text.
  std::size_t split;
  /// FNV-1a of the text, by which a resumed run knows it again.
  std::uint64_t digest;

  std::span<token const> training() const { return std::span(tokens).first(split); }
  std::span<token const> validation() const { return std::span(tokens).subspan(split); }
};

/// The text of a file; of a folder, all its .hpp and .cpp files one after the other, by name.
/// @throws format_error that names the path.
std::string read_text(std::filesystem::path const& path);

/// @throws domain_error if a part is not longer than `context`.
corpus make_corpus(std::string const& text, index_t context);

}  // namespace transformer

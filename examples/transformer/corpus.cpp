// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstddef>

#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/read_file.hpp>

#include "corpus.hpp"

namespace transformer {

namespace {

constexpr std::uint64_t largest_text = std::uint64_t{1} << 30;

std::string text_of_file(std::filesystem::path const& path) {
  auto const bytes = sigmax::io::read_file(path, largest_text);
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::uint64_t digest_of(std::string const& text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (char const c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace

tokenizer::tokenizer(std::string const& bytes_in_order) : bytes_(bytes_in_order), token_of_(256, -1) {
  if (bytes_.empty()) throw sigmax::domain_error("tokenizer: the vocabulary is empty");
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    token& at = token_of_[static_cast<unsigned char>(bytes_[i])];
    if (at >= 0) throw sigmax::domain_error("tokenizer: a byte is in the vocabulary twice");
    at = static_cast<token>(i);
  }
}

tokenizer tokenizer::of_text(std::string const& text) {
  std::array<bool, 256> occurs{};
  for (char const c : text) occurs[static_cast<unsigned char>(c)] = true;
  std::string bytes;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (occurs[byte]) bytes += static_cast<char>(byte);
  }
  return tokenizer(bytes);
}

std::vector<token> tokenizer::encode(std::string const& text) const {
  std::vector<token> result;
  result.reserve(text.size());
  for (char const c : text) {
    token const found = token_of_[static_cast<unsigned char>(c)];
    if (found < 0) {
      throw sigmax::domain_error("the text has a byte that the model's vocabulary lacks: " +
                                 sigmax::io::in_quotes(std::string(1, c)));
    }
    result.push_back(found);
  }
  return result;
}

std::string read_text(std::filesystem::path const& path) {
  if (!std::filesystem::is_directory(path)) return text_of_file(path);
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(path)) {
    auto const extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".hpp" || extension == ".cpp")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::string text;
  for (auto const& file : files) text += text_of_file(file);
  if (text.empty()) {
    throw sigmax::format_error(sigmax::io::printable(path.string()) + ": there is no .hpp or .cpp file in this folder");
  }
  return text;
}

corpus make_corpus(std::string const& text, index_t context) {
  corpus result{
      .vocabulary = tokenizer::of_text(text), .tokens = {}, .split = text.size() / 10 * 9, .digest = digest_of(text)};
  result.tokens = result.vocabulary.encode(text);
  auto const needed = static_cast<std::size_t>(context) + 1;
  if (result.training().size() <= needed || result.validation().size() <= needed) {
    throw sigmax::domain_error("the text has " + std::to_string(text.size()) +
                               " bytes; a tenth of it must be longer than the context, " + std::to_string(context));
  }
  return result;
}

}  // namespace transformer

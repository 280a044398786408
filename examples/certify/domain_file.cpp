// SPDX-License-Identifier: MIT
#include <charconv>
#include <span>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/read_file.hpp>

#include "digest.hpp"
#include "domain_file.hpp"

namespace certify_program {

namespace {

using json = nlohmann::json;

/// Where an error is: "--box 'file': ".
class place {
 public:
  place(char const* option, std::string const& path)
      : text_(fmt::format("{} {}: ", option, sigmax::io::in_quotes(path))) {}
  [[noreturn]] void refuse(std::string const& what) const { throw sigmax::format_error(text_ + what); }
  std::string const& text() const { return text_; }

 private:
  std::string text_;
};

double number_of(json const& value, place const& where) {
  if (!value.is_number()) where.refuse("holds something that is no number");
  double const number = value.get<double>();
  if (!sigmax::is_finite(number)) where.refuse("holds a number that is not finite");
  return number;
}

/// All numbers of nested lists, in order.
void flatten(json const& value, place const& where, std::vector<double>& numbers) {
  if (!value.is_array()) return numbers.push_back(number_of(value, where));
  for (auto const& each : value) flatten(each, where, numbers);
}

std::vector<double> numbers_in_text(std::string_view text, place const& where) {
  std::vector<double> numbers;
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size();) {
    char const c = text[i];
    if (c == '#') {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == ',' || c == '\n') {
      line += c == '\n' ? 1 : 0;
      ++i;
    } else {
      std::size_t const end = std::min(text.find_first_of(" \t\r\n,#", i), text.size());
      auto const word = text.substr(i, end - i);
      double value = 0;
      auto const parsed = std::from_chars(word.data(), word.data() + word.size(), value);
      if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size() || !sigmax::is_finite(value)) {
        where.refuse(fmt::format("line {}: {} is no finite number", line, sigmax::io::in_quotes(word.substr(0, 40))));
      }
      numbers.push_back(value);
      i = end;
    }
  }
  return numbers;
}

void read_box(json const& value, place const& where, requested_domain& result) {
  if (value.is_object()) {
    for (char const* const key : {"lower", "upper"}) {
      if (!value.contains(key)) where.refuse(fmt::format("there is no \"{}\"", key));
      flatten(value[key], where, key == std::string_view("lower") ? result.lower : result.upper);
    }
    return;
  }
  if (!value.is_array()) where.refuse("is neither an object nor a list");
  for (auto const& pair : value) {
    if (!pair.is_array() || pair.size() != 2) where.refuse("holds something that is no pair [lower, upper]");
    result.lower.push_back(number_of(pair[0], where));
    result.upper.push_back(number_of(pair[1], where));
  }
}

}  // namespace

sigmax::lipschitz::input_domain requested_domain::for_input(std::size_t count) const {
  using sigmax::lipschitz::input_domain;
  if (!is_bounded) return {};
  char const* const option = is_box ? "--box" : "--centre";
  bool const for_all = is_box && lower.size() == 1;
  if (!lower.empty() && !for_all && lower.size() != count) {
    throw sigmax::domain_error(fmt::format("{} {}: {} elements; the input of the network has {}", option,
                                           sigmax::io::in_quotes(path), lower.size(), count));
  }
  if (!is_box) return input_domain::ball(radius, lower);
  return for_all ? input_domain::box(std::vector<double>(count, lower[0]), std::vector<double>(count, upper[0]))
                 : input_domain::box(lower, upper);
}

requested_domain read_domain(arguments const& options) {
  requested_domain result;
  result.is_box = !options.box.empty();
  result.is_bounded = result.is_box || options.radius;
  result.radius = options.radius.value_or(0);
  result.path = result.is_box ? options.box : options.centre;
  if (result.path.empty()) return result;
  place const where(result.is_box ? "--box" : "--centre", result.path);
  std::vector<std::byte> bytes;
  try {
    bytes = sigmax::io::read_file(result.path, options.max_memory);
  } catch (sigmax::error const& problem) {
    throw sigmax::format_error(std::string(result.is_box ? "--box: " : "--centre: ") + problem.what());
  }
  result.sha256 = sha256(bytes);
  std::string_view const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  std::size_t const first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) where.refuse("is empty");
  if (text[first] == '{' || text[first] == '[') {
    auto const value = json::parse(text, nullptr, false);
    if (value.is_discarded()) where.refuse("is no valid JSON");
    if (result.is_box) {
      read_box(value, where, result);
    } else {
      if (!value.is_array()) where.refuse("is no list of numbers");
      flatten(value, where, result.lower);
    }
  } else {
    auto const numbers = numbers_in_text(text, where);
    if (result.is_box && numbers.size() % 2 != 0) {
      where.refuse(
          fmt::format("holds {} numbers; lower and upper alternate, so it must be an even number", numbers.size()));
    }
    for (std::size_t i = 0; i < numbers.size(); ++i)
      (result.is_box && i % 2 != 0 ? result.upper : result.lower).push_back(numbers[i]);
  }
  if (result.lower.empty()) where.refuse("holds no numbers");
  if (!result.is_box) return result;
  if (result.lower.size() != result.upper.size()) {
    where.refuse(fmt::format("has {} lower ends and {} upper ends", result.lower.size(), result.upper.size()));
  }
  for (std::size_t i = 0; i < result.lower.size(); ++i) {
    if (result.lower[i] > result.upper[i]) {
      where.refuse(fmt::format("element {} has lower {} above upper {}", i, result.lower[i], result.upper[i]));
    }
  }
  return result;
}

}  // namespace certify_program

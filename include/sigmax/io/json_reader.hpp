// SPDX-License-Identifier: MIT
/// @file
/// Members of JSON objects, read so that every error says which one is wrong. Opt-in: needs nlohmann/json.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <sigmax/bound/rounding.hpp>
#include <sigmax/config.hpp>
#include <sigmax/core/error.hpp>
#include <sigmax/io/printable.hpp>

namespace sigmax::inline SIGMAX_ABI::io::detail {

/// Reads members of a JSON object that somebody else wrote. Every error begins with the label and names the member.
class json_reader {
 public:
  using json = nlohmann::ordered_json;

  explicit json_reader(std::string label) : label_(std::move(label)) {}

  [[noreturn]] void refuse(std::string const& what) const { throw format_error(printable(label_) + ": " + what); }
  /// "'<name>' <what>". (Appended: g++ 12 sees overlapping copies in sums of strings.)
  [[noreturn]] void refuse(char const* name, std::string_view what) const {
    std::string text(1, '\'');
    text.append(name).append("' ").append(what);
    refuse(text);
  }

  json const& member(json const& object, char const* name) const {
    if (!object.is_object()) refuse(name, "is asked of something that is no object");
    auto const found = object.find(name);
    if (found == object.end()) refuse(name, "is not there");
    return *found;
  }
  std::string text(json const& object, char const* name) const {
    auto const& value = member(object, name);
    if (!value.is_string()) refuse(name, "is no text");
    return value.get<std::string>();
  }
  void require(json const& object, char const* name, std::string_view expected) const {
    auto const found = text(object, name);
    if (found != expected) {
      refuse(name, "is " + in_quotes(found) + "; this version checks " + in_quotes(expected));
    }
  }
  /// A finite number >= 0 as "0x1.8p+1".
  double hexadecimal(json const& object, char const* name) const {
    auto const all = text(object, name);
    double value = 0;
    char const* const end = all.data() + all.size();
    bool const prefixed = all.starts_with("0x") && all.size() > 2 && all[2] != '-';
    auto const parsed = prefixed ? std::from_chars(all.data() + 2, end, value, std::chars_format::hex)
                                 : std::from_chars_result{all.data(), std::errc::invalid_argument};
    if (parsed.ec != std::errc() || parsed.ptr != end || !is_finite(value)) {
      refuse(name, "is " + in_quotes(all) + ", no finite hexadecimal number >= 0");
    }
    return value;
  }
  std::int64_t integer(json const& object, char const* name) const {
    auto const& value = member(object, name);
    bool const fits =
        value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
    if (!fits) refuse(name, "is no integer of 64 bits");
    return value.get<std::int64_t>();
  }
  double number(json const& value, char const* name) const {
    if (!value.is_number()) refuse(name, "holds something that is no number");
    return value.get<double>();
  }
  json const& list(json const& object, char const* name) const {
    auto const& values = member(object, name);
    if (!values.is_array()) refuse(name, "is no list");
    return values;
  }
  std::vector<double> numbers(json const& object, char const* name) const {
    std::vector<double> result;
    for (auto const& each : list(object, name)) result.push_back(number(each, name));
    return result;
  }

 private:
  std::string label_;
};

}  // namespace sigmax::inline SIGMAX_ABI::io::detail

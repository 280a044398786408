// SPDX-License-Identifier: MIT
/// @file
/// Wrong files made from right ones, the same on every machine.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sigmax/core/random.hpp>

namespace sigmax::test {

/// Changes files as decaying disks, careless programs and people with intentions do.
class mutator {
 public:
  /// Splices take parts of these files.
  explicit mutator(std::vector<std::string> files, std::uint64_t seed = 2026)
      : files_(std::move(files)), random_(seed) {}

  /// A number below `below`.
  std::size_t next(std::size_t below) { return static_cast<std::size_t>(random_.bits(at_++) % below); }

  /// One to four changes of `file`, half of them to its first `front` bytes, the others to its last 1024 or anywhere.
  /// Every second file keeps its size.
  std::string mutated(std::string file, std::size_t front) {
    bool const in_place = next(2) == 0;
    for (std::size_t changes = 1 + next(4); changes > 0; --changes) {
      if (file.empty()) file = "x";
      std::size_t const region = next(4);
      std::size_t const reach = region < 2 ? std::min(front, file.size()) : file.size();
      std::size_t const first = region == 2 ? file.size() - std::min<std::size_t>(1024, file.size()) : 0;
      change(file, first + next(reach - first), in_place ? next(3) : next(10));
    }
    return file;
  }

 private:
  void change(std::string& file, std::size_t where, std::size_t how) {
    switch (how) {
      case 0:
        file[where] = static_cast<char>(file[where] ^ (1 << next(8)));
        break;
      case 1:
        file[where] = static_cast<char>(next(256));
        break;
      case 2:
        overwrite_number(file, where);
        break;
      case 3:
        file.insert(where, 1 + next(8), static_cast<char>(next(256)));
        break;
      case 4:
        file.erase(where, 1 + next(next(8) == 0 ? 4096 : 8));
        break;
      case 5: {
        std::string const part = file.substr(where, 1 + next(64));
        file.insert(next(file.size()), part);
        break;
      }
      case 6: {
        std::string const& other = files_[next(files_.size())];
        std::string const part = other.substr(next(other.size()), 1 + next(256));
        if (next(2) == 0) {
          file.insert(where, part);
        } else {
          file.replace(where, std::min(part.size(), file.size() - where), part);
        }
        break;
      }
      case 7:
        if (next(8) == 0) file.resize(where);
        break;
      default:
        change_digits(file, where);
    }
  }

  std::uint64_t notable() {
    static constexpr std::array<std::uint64_t, 8> numbers{0, 1, 7, 127, 128, 100'000'000, 1u << 31, UINT64_MAX};
    std::uint64_t const number = next(2) == 0 ? numbers[next(numbers.size())] : std::uint64_t{1} << next(64);
    return number + next(3) - 1;
  }

  /// One, two, four or eight bytes as an integer.
  void overwrite_number(std::string& file, std::size_t where) {
    std::uint64_t const number = notable();
    std::memcpy(file.data() + where, &number, std::min(std::size_t{1} << next(4), file.size() - where));
  }

  /// The next number written in digits becomes another.
  void change_digits(std::string& file, std::size_t where) {
    static constexpr std::string_view digits = "0123456789";
    std::size_t const first = file.find_first_of(digits, where);
    if (first == std::string::npos) return;
    std::size_t const last = std::min(file.find_first_not_of(digits, first), file.size());
    static constexpr std::array<char const*, 6> odd{
        "-1", "1e400", "0.5", "00", "9223372036854775808", "18446744073709551616"};
    bool const is_odd = next(4) == 0;
    file.replace(first, last - first,
                 is_odd ? odd[next(odd.size())] : std::to_string(next(2) == 0 ? next(100) : notable()));
  }

  std::vector<std::string> files_;
  sigmax::random_sequence random_;
  std::uint64_t at_ = 0;
};

}  // namespace sigmax::test

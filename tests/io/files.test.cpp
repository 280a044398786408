// SPDX-License-Identifier: MIT
// Atomic files, whole files, printable names.
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/read_file.hpp>

namespace {

using namespace sigmax;

/// An empty folder that goes away.
struct folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "sigmax-files-test";
  folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~folder() { std::filesystem::remove_all(path); }
  folder(folder const&) = delete;
  folder& operator=(folder const&) = delete;
  auto count() const { return std::distance(std::filesystem::directory_iterator(path), {}); }
};

std::string contents(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("atomic file: the target has the old contents until commit, and nothing else is left") {
  folder const here;
  auto const path = here.path / "a";
  io::write_file(path, "old");
  {
    io::atomic_file file(path);
    file.write("new");
    CHECK(contents(path) == "old");
    CHECK(here.count() == 2);
    io::atomic_file second(path);
    second.write("second");
    second.commit();
    CHECK(contents(path) == "second");
    file.commit();
  }
  CHECK(contents(path) == "new");
  CHECK(here.count() == 1);
  { io::atomic_file abandoned(path); }
  CHECK(contents(path) == "new");
  CHECK(here.count() == 1);
}

TEST_CASE("atomic file: errors name the path and leave nothing") {
  folder const here;
  CHECK_THROWS_AS(io::write_file(here.path, "x"), format_error);
  CHECK_THROWS_AS(io::write_file(here.path / "none" / "a", "x"), format_error);
  CHECK_THROWS_AS(io::write_file("", "x"), format_error);
  CHECK(here.count() == 0);
  if (std::filesystem::exists("/dev/full")) {
    std::string text;
    try {
      io::write_file("/dev/full", std::string(100000, 'x'));
    } catch (format_error const& problem) {
      text = problem.what();
    }
    CHECK(text.find("'/dev/full'") != std::string::npos);
    CHECK(std::filesystem::is_character_file("/dev/full"));
  }
}

TEST_CASE("atomic file: devices are written to, links are followed") {
  folder const here;
  if (std::filesystem::exists("/dev/null")) {
    io::write_file("/dev/null", "x");
    CHECK(std::filesystem::is_character_file("/dev/null"));
  }
  io::write_file(here.path / "real", "old");
  std::filesystem::create_symlink(here.path / "real", here.path / "link");
  io::write_file(here.path / "link", "new");
  CHECK(std::filesystem::is_symlink(here.path / "link"));
  CHECK(contents(here.path / "real") == "new");
  std::filesystem::permissions(here.path / "real",
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  io::write_file(here.path / "real", "private");
  CHECK((std::filesystem::status(here.path / "real").permissions() & std::filesystem::perms::group_read) ==
        std::filesystem::perms::none);
}

TEST_CASE("read file: contents, limits, and what is no file") {
  folder const here;
  io::write_file(here.path / "a", "abc");
  CHECK(io::read_file(here.path / "a", 3).size() == 3);
  CHECK_THROWS_AS(io::read_file(here.path / "a", 2), format_error);
  CHECK_THROWS_AS(io::read_file(here.path / "b", 2), format_error);
  CHECK_THROWS_AS(io::read_file(here.path, 2), format_error);
  CHECK_THROWS_AS(io::read_file("/dev/zero", 2), format_error);
  io::write_file(here.path / "empty", "");
  CHECK(io::read_file(here.path / "empty", 0).empty());
}

TEST_CASE("printable: text stays, control characters and broken UTF-8 are spelled out") {
  CHECK(io::printable("conv1.weight") == "conv1.weight");
  CHECK(io::printable("Gewicht \u00e4\u00f6\u00fc \u2211 \U0001f600") ==
        "Gewicht \u00e4\u00f6\u00fc \u2211 \U0001f600");
  CHECK(io::printable("a\nb\t\x7f") == "a\\x0ab\\x09\\x7f");
  CHECK(io::printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(io::printable("\x1b[0m") == "\\x1b[0m");
  CHECK(io::printable("\xff\xc3") == "\\xff\\xc3");
  CHECK(io::printable("\xc0\x80") == "\\xc0\\x80");           // overlong
  CHECK(io::printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
  CHECK(io::printable("\xf5\x80\x80\x80") == "\\xf5\\x80\\x80\\x80");
  CHECK(io::printable("\xe2\x80\xa8") == "\\xe2\\x80\\xa8");  // line separator
  CHECK(io::printable("\xc2\x85") == "\\xc2\\x85");           // next line
  std::string const shortened = io::printable(std::string(300, 'a'));
  CHECK(shortened.size() == 203);
  CHECK(shortened.ends_with("a..."));
  CHECK(io::printable("\u00e4\u00e4", 3) == "\u00e4...");
  CHECK(io::in_quotes("x") == "'x'");
}

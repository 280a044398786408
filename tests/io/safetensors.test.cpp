// SPDX-License-Identifier: MIT
// What a safetensors file says and holds, read back; the golden bytes are made by hand.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/certified/spectral_norm.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/safetensors.hpp>

#include "safetensors_builder.hpp"

namespace {

using namespace sigmax;
using namespace std::string_view_literals;
using test::message_of;
using test::parse_text;
using test::safetensors_text;

/// 3 and -4 in float, 1 in bf16, 7 in int64: little-endian.
std::string const golden =
    safetensors_text(R"({"__metadata__":{"format":"pt","\u00e4\n":"\ud83d\ude00 \"\\\/"},)"
                     R"("n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                     R"( "w" : { "data_offsets" : [8, 16] , "shape" : [2 , 1], "dtype" : "F32" },)"
                     R"("half":{"dtype":"BF16","shape":[],"data_offsets":[16,18]}}   )",
                     "\x07\0\0\0\0\0\0\0\0\0\x40\x40\0\0\x80\xc0\x80\x3f"sv);

}  // namespace

TEST_CASE("safetensors: golden bytes") {
  auto const file = parse_text(golden);
  REQUIRE(file.tensors().size() == 3);
  CHECK(file.tensors()[0].name == "n");
  CHECK(file.tensors()[1].name == "w");
  CHECK(file.tensors()[2].name == "half");
  CHECK(file.metadata().size() == 2);
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.metadata().at("\u00e4\n") == "\U0001f600 \"\\/");

  io::stored_tensor const& w = file.at("w");
  CHECK(w.type == io::element_type::f32);
  CHECK(w.shape == std::vector<index_t>{2, 1});
  CHECK(w.begin == 8);
  CHECK(w.end == 16);
  auto const matrix = file.matrix<float>("w");
  CHECK(matrix.rows() == 2);
  CHECK(matrix.cols() == 1);
  CHECK(matrix(0, 0) == 3);
  CHECK(matrix(1, 0) == -4);
  auto const box = certified_spectral_norm(matrix);
  CHECK(box.lower() <= 5);
  CHECK(box.upper() >= 5);
  CHECK(box.upper() <= 5 * (1 + 1e-7));

  CHECK(file.flattened<bf16>("half").rows() == 1);
  CHECK(file.flattened<bf16>("half").cols() == 1);
  CHECK(file.flattened<bf16>("half")(0, 0) == bf16(1.0f));
  CHECK(file.bytes("n").size() == 8);
  CHECK(std::to_integer<int>(file.bytes("n")[0]) == 7);
  CHECK(file.find("x") == nullptr);
  CHECK(file.find("n") == &file.tensors()[0]);
}

TEST_CASE("safetensors: the smallest files") {
  auto const empty = safetensors_text("{}");
  CHECK(parse_text(empty).tensors().empty());
  CHECK(parse_text(empty).metadata().empty());
  auto const spaces = safetensors_text("{ \t\r\n}  \n");
  CHECK(parse_text(spaces).tensors().empty());
  auto const metadata = safetensors_text(R"({"__metadata__":{}})");
  CHECK(parse_text(metadata).metadata().empty());
  auto const nothing = safetensors_text(
      R"({"b":{"dtype":"F64","shape":[0,7],"data_offsets":[0,0]},"":{"dtype":"U8","shape":[3,0],"data_offsets":[0,0]}})");
  auto const file = parse_text(nothing);
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name.empty());
  CHECK(file.tensors()[1].name == "b");
  CHECK(file.matrix<double>("b").rows() == 0);
  CHECK(file.matrix<double>("b").cols() == 7);
  CHECK(certified_spectral_norm(file.matrix<double>("b")).upper() == 0);
}

TEST_CASE("safetensors: tensors are listed in the order of their bytes, empty ones where they begin") {
  auto const text = safetensors_text(
      R"({"c":{"dtype":"U8","shape":[2],"data_offsets":[3,5]},"z":{"dtype":"U8","shape":[0],"data_offsets":[3,3]},)"
      R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"y":{"dtype":"U8","shape":[0],"data_offsets":[5,5]}})",
      "abcde");
  auto const file = parse_text(text);
  std::string order;
  for (auto const& tensor : file.tensors()) order += tensor.name;
  CHECK(order == "azcy");
  for (char const* const name : {"a", "c", "y", "z"}) CHECK(file.at(name).name == name);
}

TEST_CASE("safetensors: every type is listed with its size; elements come only from four of them") {
  struct {
    char const* name;
    unsigned bits;
  } constexpr types[] = {{"BOOL", 8}, {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},
                         {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8},     {"I16", 16},
                         {"U16", 16}, {"F16", 16},    {"BF16", 16},   {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
                         {"I32", 32}, {"U32", 32},    {"F32", 32},    {"C64", 64},        {"F64", 64},
                         {"I64", 64}, {"U64", 64}};
  int computable = 0;
  for (auto const& type : types) {
    INFO(std::string(type.name));
    auto const text = safetensors_text(std::string(R"({"t":{"dtype":")") + type.name +
                                           R"(","shape":[4,2],"data_offsets":[0,)" + std::to_string(type.bits) + "]}}",
                                       std::string(type.bits, '\0'));
    auto const file = parse_text(text);
    io::stored_tensor const& t = file.at("t");
    CHECK(std::string(io::name_of(t.type)) == type.name);
    CHECK(io::bits_of(t.type) == type.bits);
    CHECK(file.bytes("t").size() == type.bits);
    index_t rows = 0;
    auto const problem = message_of<unsupported_error>(
        [&] { rows = file.visit(t, [](auto const& elements) { return elements.rows(); }); });
    CHECK(rows == (problem.empty() ? 4 : 0));
    if (problem.empty()) {
      ++computable;
      CHECK(!io::is_integer(t.type));
    } else {
      CHECK(problem.find(std::string("tensor 't': elements are ") + type.name) != std::string::npos);
    }
    CHECK(io::is_integer(t.type) == (std::string_view("BIU").find(type.name[0]) != std::string_view::npos &&
                                     std::string_view(type.name) != "BF16"));
  }
  CHECK(computable == 4);
}

TEST_CASE("safetensors: shapes flatten to rows of the first extent") {
  std::string numbers(96, '\0');
  for (int i = 0; i < 24; ++i) {
    auto const value = static_cast<float>(i);
    std::memcpy(numbers.data() + 4 * i, &value, 4);
  }
  struct {
    char const* shape;
    index_t rows;
    index_t cols;
  } constexpr shapes[] = {{"[2,3,4]", 2, 12}, {"[24]", 24, 1}, {"[1,1,24,1]", 1, 24}, {"[4,6]", 4, 6}};
  for (auto const& shape : shapes) {
    INFO(std::string(shape.shape));
    auto const text = safetensors_text(
        std::string(R"({"t":{"dtype":"F32","shape":)") + shape.shape + R"(,"data_offsets":[0,96]}})", numbers);
    auto const flat = parse_text(text).flattened<float>("t");
    CHECK(flat.rows() == shape.rows);
    CHECK(flat.cols() == shape.cols);
    CHECK(flat.size() == 24);
    for (index_t i = 0; i < 24; ++i) CHECK(flat(i / shape.cols, i % shape.cols) == static_cast<float>(i));
  }
}

TEST_CASE("safetensors: elements are used in place where they are aligned, and copied where they are not") {
  for (std::size_t shift = 0; shift < 9; ++shift) {
    // The header is padded so that the data begin `shift` bytes after a multiple of 8.
    std::string header = R"({"w":{"dtype":"F64","shape":[1,2],"data_offsets":[0,16]}})";
    header.append((8 - header.size() % 8) % 8 + shift, ' ');
    double const numbers[] = {0.5, -3};
    auto const text = safetensors_text(header, {reinterpret_cast<char const*>(numbers), sizeof numbers});
    std::vector<double> aligned(text.size() / 8 + 1);  // at an address that is a multiple of 8
    std::memcpy(aligned.data(), text.data(), text.size());
    auto const bytes = std::as_bytes(std::span(aligned)).first(text.size());
    auto const file = io::parse_safetensors(bytes);
    auto const w = file.matrix<double>("w");
    CHECK(w.is_copy() == (shift % 8 != 0));
    CHECK((static_cast<void const*>(w.data()) == file.bytes("w").data()) == (shift % 8 == 0));
    CHECK(w(0, 0) == 0.5);
    CHECK(w(0, 1) == -3);
    auto copy = w;
    CHECK(copy(0, 1) == -3);
    copy = file.matrix<double>("w");
    CHECK(view(copy)(0, 0) == 0.5);
    CHECK(w.view()(0, 1) == -3);
  }
}

TEST_CASE("safetensors: asking for what is not there names file, tensor and rule") {
  auto const file = parse_text(golden, {.label = "a\nb"});
  CHECK(message_of<format_error>([&] { file.at("x\n"); }) == "a\\x0ab: there is no tensor 'x\\x0a'");
  CHECK(message_of<unsupported_error>([&] { file.matrix<double>("w"); }) ==
        "a\\x0ab: tensor 'w': elements are F32 and were asked for as F64; nothing is converted");
  CHECK(message_of<unsupported_error>([&] { file.flattened<float>("n"); }) ==
        "a\\x0ab: tensor 'n': elements are I64 and were asked for as F32; nothing is converted");
  CHECK(message_of<shape_error>([&] { file.matrix<bf16>("half"); }) ==
        "a\\x0ab: tensor 'half': shape is []; a matrix has two extents");
  matrix<float> wrong(1, 2);
  CHECK(message_of<shape_error>([&] { file.read_into("w", wrong); }) ==
        "a\\x0ab: tensor 'w': shape is 2 x 1; the destination is 1 x 2");
  vector<float> flat(2);
  CHECK(message_of<shape_error>([&] { file.read_into("w", flat.view()); }) ==
        "a\\x0ab: tensor 'w': shape is [2, 1]; a vector has one extent");
  io::stored_tensor foreign = file.at("w");
  foreign.end = 1000;
  CHECK_THROWS_AS(file.bytes(foreign), domain_error);
  foreign.end = 0;
  CHECK_THROWS_AS(file.bytes(foreign), domain_error);
}

TEST_CASE("safetensors: a file owns its bytes and can be moved") {
  auto const path = std::filesystem::temp_directory_path() / "sigmax-safetensors-test.safetensors";
  io::write_file(path, golden);
  auto file = io::load_safetensors(path);
  io::write_file(path, "gone");
  auto const w = file.matrix<float>("w");
  auto const moved = std::move(file);
  CHECK(w(0, 0) == 3);
  CHECK(moved.matrix<float>("w")(1, 0) == -4);
  auto const problem = message_of<format_error>([&] { io::load_safetensors(path); });
  CHECK(problem == path.string() + ": not a safetensors file: it has 4 bytes; the length of the header alone takes 8");
  CHECK(message_of<format_error>([&] { io::load_safetensors(path, {.label = "model"}); }).starts_with("model: "));
  CHECK_THROWS_AS(io::load_safetensors(path, {.max_memory = 3}), format_error);
  std::filesystem::remove(path);
  CHECK_THROWS_AS(io::load_safetensors(path), format_error);
}

TEST_CASE("safetensors: files are recognised by their first bytes") {
  auto const looks = [](std::string const& text) {
    return io::looks_like_safetensors(std::as_bytes(std::span(text.data(), text.size())));
  };
  CHECK(looks(golden));
  CHECK(looks(safetensors_text("{}")));
  CHECK(looks(safetensors_text("{")));
  CHECK(!looks(""));
  CHECK(!looks(golden.substr(0, 8)));
  CHECK(!looks(golden.substr(0, 100)));
  CHECK(!looks(safetensors_text(" {}")));
  CHECK(!looks("\x08\x07\x12\x07pytorch{"));
}

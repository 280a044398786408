// SPDX-License-Identifier: MIT
// Safetensors files that break a rule are refused with one line that names it.
#include <cstdint>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <sigmax/core/error.hpp>
#include <sigmax/io/safetensors.hpp>

#include "safetensors_builder.hpp"

namespace {

using namespace sigmax;
using test::message_of;
using test::parse_text;
using test::safetensors_text;

/// The message for a file of this header and so many bytes of data, which must be one line and begin with the label.
std::string refusal(std::string const& file, io::safetensors_options const& options = {}) {
  auto text = message_of<format_error>([&] { parse_text(file, options); });
  INFO(text);
  CHECK(text.starts_with("safetensors file: "));
  CHECK(text.find_first_of("\n\r\t") == std::string::npos);
  return text;
}

/// A tensor 't' of these three values.
std::string tensor(std::string const& dtype, std::string const& shape, std::string const& offsets) {
  return R"({"t":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

struct wrong_header {
  std::string header;
  std::size_t data;
  char const* part;
};

void check_refused(wrong_header const& wrong) {
  INFO(wrong.header.substr(0, 300));
  auto const text = refusal(safetensors_text(wrong.header, std::string(wrong.data, '\0')));
  INFO(text);
  INFO(std::string(wrong.part));
  CHECK(text.find(wrong.part) != std::string::npos);
}

}  // namespace

TEST_CASE("safetensors: the length of the header") {
  auto const with_length = [](std::uint64_t length) { return safetensors_text("{}", "", length); };
  CHECK(refusal("").find("it has 0 bytes") != std::string::npos);
  CHECK(refusal(std::string(7, '\0')).find("it has 7 bytes") != std::string::npos);
  CHECK(refusal(with_length(0)).find("the header begins with its end; it must begin with '{'") != std::string::npos);
  CHECK(refusal(with_length(1)).find("found the end of the header") != std::string::npos);
  CHECK(refusal(with_length(3)).find("the header takes 3 bytes; the file has 10") != std::string::npos);
  CHECK(refusal(with_length(100'000'000)).find("cut off: the header takes 100000000") != std::string::npos);
  for (std::uint64_t const length : {std::uint64_t{100'000'001}, std::uint64_t{1} << 63, UINT64_MAX, UINT64_MAX - 7}) {
    CHECK(refusal(with_length(length)).find("header takes " + std::to_string(length) + " bytes; at most 100000000") !=
          std::string::npos);
  }
}

TEST_CASE("safetensors: every rule of the header has a refusal that names tensor, value and rule") {
  std::string const good = R"("dtype":"U8","shape":[1],"data_offsets":[0,1])";
  std::string const deep(100000, '[');
  std::string const objects = [] {
    std::string text;
    for (int i = 0; i < 20000; ++i) text += R"({"a":)";
    return text;
  }();
  wrong_header const table[] = {
      // What is no header at all.
      {"\xef\xbb\xbf{}", 0, "the header begins with '\\xef'"},
      {" {}", 0, "the header begins with ' '"},
      {"[]", 0, "must begin with '{'"},
      {"{", 0, "expected the name of a tensor in quotes, found the end of the header"},
      {"{}}", 0, "goes on after its closing brace"},
      {"{}x", 0, "goes on after its closing brace"},
      {"{}{}", 0, "goes on after its closing brace"},
      {std::string("{}\0", 3), 0, "goes on after its closing brace"},
      {"{,}", 0, "expected the name of a tensor in quotes, found ','"},
      {"{1:2}", 0, "expected the name of a tensor in quotes, found '1'"},
      {"{'t':{}}", 0, "expected the name of a tensor in quotes, found '''"},
      {"{/**/}", 0, "found '/'"},
      {"{\"t\"}", 0, "tensor 't': expected ':' after its name, found '}'"},
      {"{\"t\":{" + good + "}", 1, "expected '}' or ',' after an entry of the header, found the end"},
      {"{\"t\":{" + good + "},}", 1, "expected the name of a tensor in quotes, found '}'"},
      {"{\"t\":{" + good + "};}", 1, "expected '}' or ',' after an entry of the header, found ';'"},
      // Strings.
      {"{\"t", 0, "a string is not closed"},
      {"{\"t\\\"", 0, "a string is not closed"},
      {"{\"t\\", 0, "a string is not closed"},
      {"{\"a\nb\":{}}", 0, "a string holds the control character '\\x0a'"},
      {std::string("{\"a\0b\":{}}", 10), 0, "a string holds the control character '\\x00'"},
      {"{\"\xff\":{}}", 0, "a string holds the byte '\\xff', which is not UTF-8"},
      {"{\"\xc0\x80\":{}}", 0, "a string holds the byte '\\xc0', which is not UTF-8"},
      {"{\"\xed\xa0\x80\":{}}", 0, "a string holds the byte '\\xed', which is not UTF-8"},
      {"{\"\xf4\x90\x80\x80\":{}}", 0, "which is not UTF-8"},
      {"{\"\xe2\x82\":{}}", 0, "which is not UTF-8"},
      {"{\"\\x\":{}}", 0, "a string holds the escape '\\x'"},
      {"{\"\\u12g4\":{}}", 0, "\\u without four hexadecimal digits"},
      {"{\"\\u12\":{}}", 0, "\\u without four hexadecimal digits"},
      {"{\"\\u+123\":{}}", 0, "\\u without four hexadecimal digits"},
      {"{\"\\ud800\":{}}", 0, "half of a surrogate pair"},
      {"{\"\\ud800\\u0041\":{}}", 0, "half of a surrogate pair"},
      {"{\"\\udc00\":{}}", 0, "half of a surrogate pair"},
      {"{\"\\ud800\\ud800\":{}}", 0, "half of a surrogate pair"},
      // The entry of a tensor.
      {R"({"t":null})", 0, "tensor 't': expected '{' before its dtype, shape and data_offsets, found 'n'"},
      {R"({"t":[]})", 0, "tensor 't': expected '{'"},
      {R"({"t":"x"})", 0, "tensor 't': expected '{'"},
      {R"({"t":{}})", 0, "tensor 't': has no key 'dtype'"},
      {R"({"t":{"shape":[],"data_offsets":[0,1]}})", 1, "tensor 't': has no key 'dtype'"},
      {R"({"t":{"dtype":"U8","data_offsets":[0,1]}})", 1, "tensor 't': has no key 'shape'"},
      {R"({"t":{"dtype":"U8","shape":[]}})", 1, "tensor 't': has no key 'data_offsets'"},
      {"{\"t\":{" + good + ",\"x\":1}}", 1, "tensor 't': has the key 'x'; 'dtype', 'shape' and 'data_offsets' are"},
      {"{\"t\":{" + good + ",\"dtype\":\"U8\"}}", 1, "tensor 't': has the key 'dtype' twice"},
      {"{\"t\":{" + good + ",\"shape\":[1]}}", 1, "tensor 't': has the key 'shape' twice"},
      {"{\"t\":{" + good + ",}}", 1, "tensor 't': expected a key in quotes, found '}'"},
      {R"({"t":{"dtype" "U8"}})", 0, "tensor 't': expected ':' after a key, found '\"'"},
      {tensor("8", "[1]", "[0,1]"), 1, "tensor 't': expected the dtype in quotes, found '8'"},
      {tensor("null", "[1]", "[0,1]"), 1, "expected the dtype in quotes"},
      {"{\"t\":{" + good + "},\"t\":{" + good + "}}", 1, "tensor 't': is in the header twice"},
      {"{\"t\":{" + good + R"(},"\u0074":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2,
       "'t': is in the header"},
      {"{\"a\\nb\":{}}", 0, "tensor 'a\\x0ab': has no key 'dtype'"},
      // Numbers.
      {tensor("\"U8\"", "[-1]", "[0,1]"), 1, "an extent of its shape is -1; it must be a whole number from 0 to 2^63"},
      {tensor("\"U8\"", "[-0]", "[0,0]"), 0, "an extent of its shape is -0"},
      {tensor("\"U8\"", "[+1]", "[0,1]"), 1, "an extent of its shape is +1"},
      {tensor("\"U8\"", "[1.0]", "[0,1]"), 1, "an extent of its shape is 1.0"},
      {tensor("\"U8\"", "[1e0]", "[0,1]"), 1, "an extent of its shape is 1e0"},
      {tensor("\"U8\"", "[1e400]", "[0,1]"), 1, "an extent of its shape is 1e400"},
      {tensor("\"U8\"", "[01]", "[0,1]"), 1, "an extent of its shape is 01"},
      {tensor("\"U8\"", "[0x1]", "[0,1]"), 1, "expected ']' or ',' after an extent of its shape, found 'x'"},
      {tensor("\"U8\"", "[9223372036854775808]", "[0,1]"), 1, "an extent of its shape is 9223372036854775808;"},
      {tensor("\"U8\"", "[" + std::string(1000, '9') + "]", "[0,1]"), 1, "9999...; it must be a whole number"},
      {tensor("\"U8\"", "[\"1\"]", "[0,1]"), 1, "an extent of its shape is '\"'"},
      {tensor("\"U8\"", "[null]", "[0,1]"), 1, "an extent of its shape is 'n'"},
      {tensor("\"U8\"", "[NaN]", "[0,1]"), 1, "an extent of its shape is 'N'"},
      {tensor("\"U8\"", "[1,]", "[0,1]"), 1, "an extent of its shape is ']'"},
      {tensor("\"U8\"", "[,1]", "[0,1]"), 1, "an extent of its shape is ','"},
      {tensor("\"U8\"", "[1 1]", "[0,1]"), 1, "expected ']' or ',' after an extent of its shape, found '1'"},
      {tensor("\"U8\"", "1", "[0,1]"), 1, "expected '[' before the extents of its shape, found '1'"},
      {tensor("\"U8\"", "{}", "[0,1]"), 1, "expected '[' before the extents of its shape, found '{'"},
      {tensor("\"U8\"", "[1", "[0,1]"), 1, "an extent of its shape is '\"'"},
      {tensor("\"U8\"", "[1]", "[0]"), 1, "expected ',' between its two data_offsets, found ']'"},
      {tensor("\"U8\"", "[1]", "[]"), 1, "the first of its data_offsets is ']'"},
      {tensor("\"U8\"", "[1]", "[0,1,2]"), 1, "expected ']' after its two data_offsets, found ','"},
      {tensor("\"U8\"", "[1]", "[0,-1]"), 1, "the second of its data_offsets is -1"},
      {tensor("\"U8\"", "[1]", "[0.0,1]"), 1, "the first of its data_offsets is 0.0"},
      {tensor("\"U8\"", "[1]", "0"), 1, "expected '[' before its data_offsets, found '0'"},
      {tensor("\"U8\"", "[1]", "[18446744073709551616,18446744073709551617]"), 1, "is 18446744073709551616;"},
      // Sizes and places.
      {tensor("\"U8\"", "[1]", "[9223372036854775807,9223372036854775807]"), 1, "; 1 bytes of data follow the header"},
      {tensor("\"U8\"", "[1]", "[0,9223372036854775807]"), 1, "tensor 't': data_offsets are [0, 9223372036854775807];"},
      {tensor("\"U8\"", "[1]", "[1,0]"), 1, "data_offsets are [1, 0]; the second must not be less than the first"},
      {tensor("\"U8\"", "[2]", "[0,2]"), 1, "data_offsets are [0, 2]; 1 bytes of data follow the header"},
      {tensor("\"F32\"", "[2,3]", "[0,23]"), 23, "which is 23 bytes; shape [2, 3] of type F32 takes 24"},
      {tensor("\"F32\"", "[]", "[0,0]"), 0, "which is 0 bytes; shape [] of type F32 takes 4"},
      {tensor("\"F64\"", "[0]", "[0,8]"), 8, "which is 8 bytes; shape [0] of type F64 takes 0"},
      {tensor("\"F4\"", "[3]", "[0,2]"), 2, "3 elements of type F4 do not fill whole bytes"},
      {tensor("\"F6_E2M3\"", "[2]", "[0,2]"), 2, "2 elements of type F6_E2M3 do not fill whole bytes"},
      {tensor("\"U8\"", "[4294967296,4294967296]", "[0,0]"), 0, "the product of its extents overflows 64 bits"},
      {tensor("\"U8\"", "[4294967296,0,4294967296]", "[0,0]"), 0, "the product of its extents overflows 64 bits"},
      {tensor("\"U8\"", "[9223372036854775807,2,9223372036854775807,4]", "[0,0]"), 0,
       "product of its extents overflows"},
      {tensor("\"F64\"", "[2305843009213693952]", "[0,0]"), 0, "extents and the size of F64 overflows 64 bits"},
      {tensor("\"F64\"", "[2305843009213693952,0]", "[0,0]"), 0, "extents and the size of F64 overflows 64 bits"},
      {tensor(
           "\"U8\"",
           "[1" +
               [] {
                 std::string more;
                 for (int i = 0; i < 64; ++i) more += ",1";
                 return more;
               }() +
               "]",
           "[0,1]"),
       1, "its shape has more than 64 extents"},
      {tensor("\"U8\"", "[1]", "[1,2]"), 2, "tensor 't': begins at byte 1 of the data, and leaves a hole after byte 0"},
      {tensor("\"U8\"", "[1]", "[0,1]"), 2, "the tensors end at byte 1 of the data; 2 bytes follow the header"},
      {"{}", 1, "the tensors end at byte 0 of the data; 1 bytes follow the header"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       3, "tensor 'b': begins at byte 1 of the data, inside another tensor, which ends at byte 2"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
       2, "tensor 'b': begins at byte 0 of the data, inside another tensor, which ends at byte 2"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})",
       5, "tensor 'b': begins at byte 3 of the data, and leaves a hole after byte 2"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}})",
       2, "tensor 'b': begins at byte 1 of the data, inside another tensor"},
      // Metadata.
      {R"({"__metadata__":null})", 0, "expected '{' at the start of '__metadata__', found 'n'"},
      {R"({"__metadata__":[]})", 0, "expected '{' at the start of '__metadata__', found '['"},
      {R"({"__metadata__":{"a":1}})", 0, "expected a value of '__metadata__' in quotes, found '1'"},
      {R"({"__metadata__":{"a":null}})", 0, "expected a value of '__metadata__' in quotes, found 'n'"},
      {R"({"__metadata__":{"a":{}}})", 0, "expected a value of '__metadata__' in quotes, found '{'"},
      {R"({"__metadata__":{"a":["b"]}})", 0, "expected a value of '__metadata__' in quotes, found '['"},
      {R"({"__metadata__":{"a" "b"}})", 0, "expected ':' after a key of '__metadata__'"},
      {R"({"__metadata__":{"a":"b","a":"c"}})", 0, "'__metadata__' has the key 'a' twice"},
      {R"({"__metadata__":{"a":"b",}})", 0, "expected a key of '__metadata__' in quotes, found '}'"},
      {R"({"__metadata__":{"a":"b"})", 0, "expected '}' or ',' after an entry of the header"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, "the key '__metadata__' is there twice"},
      {R"({"__metadata__" {}})", 0, "expected ':' after '__metadata__'"},
      {R"({"__metadata__":{"a":"b"} "t"})", 0, "expected '}' or ',' after an entry of the header, found '\"'"},
      // Depth.
      {"{\"t\":" + deep, 0, "tensor 't': expected '{'"},
      {tensor("\"U8\"", deep, "[0,1]"), 0, "an extent of its shape is '['"},
      {objects, 0, "tensor 'a': has the key 'a'"},
      {R"({"__metadata__":)" + objects, 0, "expected a value of '__metadata__' in quotes, found '{'"},
  };
  for (auto const& wrong : table) check_refused(wrong);
}

TEST_CASE("safetensors: a type the format does not know is named") {
  for (char const* const name : {"F128", "f32", "", "F32 ", "float", "C128", "\\u0046\\n"}) {
    auto const file = safetensors_text(tensor(std::string("\"") + name + "\"", "[1]", "[0,4]"), "abcd");
    auto const text = message_of<unsupported_error>([&] { parse_text(file, {.label = "model"}); });
    CHECK(text.starts_with("model: tensor 't': dtype is '"));
    CHECK(text.ends_with("', which sigmax does not know"));
  }
}

TEST_CASE("safetensors: positions are those of the file") {
  CHECK(refusal(safetensors_text(R"({"t":x})")) ==
        "safetensors file: tensor 't': expected '{' before its dtype, shape and data_offsets, found 'x' (byte 13)");
}

TEST_CASE("safetensors: whatever a file is cut to or lengthened by, it is no file any more") {
  std::string const good =
      safetensors_text(R"({"__metadata__":{"a":"b"},"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                       R"("u":{"dtype":"I16","shape":[],"data_offsets":[3,5]}})",
                       "abcde");
  CHECK(parse_text(good).tensors().size() == 2);
  for (std::size_t size = 0; size < good.size(); ++size) refusal(good.substr(0, size));
  refusal(good + "x");
  // The same with a length that fits.
  std::string const header = good.substr(8, good.size() - 13);
  for (std::size_t size = 0; size < header.size(); ++size) refusal(safetensors_text(header.substr(0, size), "abcde"));
}

TEST_CASE("safetensors: what would take more memory than allowed is refused") {
  auto const good = safetensors_text(tensor("\"U8\"", "[1]", "[0,1]"), "x");
  CHECK(refusal(good, {.max_memory = 0}).find("more than the 0 bytes that max_memory allows") != std::string::npos);
  CHECK(refusal(good, {.max_memory = good.size()}).find("max_memory") != std::string::npos);
  CHECK(parse_text(good, {.max_memory = 32768}).tensors().size() == 1);
  CHECK(parse_text(good, {.max_memory = UINT64_MAX}).tensors().size() == 1);
}

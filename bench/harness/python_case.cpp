// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "harness/python_case.hpp"

namespace bench {

void save_npy(std::string const& path, sigmax::matrix<float> const& a) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(a.rows()) + ", " +
                       std::to_string(a.cols()) + "), }";
  // Magic, version, length and header end on a multiple of 64 bytes.
  header.append(63 - (10 + header.size()) % 64, ' ').append("\n");
  std::ofstream file(path, std::ios::binary);
  file.write("\x93NUMPY\x01\x00", 8);
  auto const size = static_cast<unsigned>(header.size());
  file.put(static_cast<char>(size % 256)).put(static_cast<char>(size / 256));
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  file.write(reinterpret_cast<char const*>(a.data()), static_cast<std::streamsize>(a.size() * sizeof(float)));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

void offer_to_python(options const& given, task const& what, std::function<python_case()> const& make) {
  if (given.export_folder.empty()) return;
  std::string const name = name_of(given, what);
  if (!given.matches(name + "/")) return;
  std::filesystem::create_directories(given.export_folder);
  std::string stem = name;
  for (char& c : stem) {
    if (c == '/') c = '.';
  }
  std::string const path = given.export_folder + "/" + stem;
  auto const offered = make();
  nlohmann::ordered_json description;
  description["name"] = name;
  description["work"] = what.work;
  description["variant"] = what.variant;
  description["threads"] = given.threads;
  description["repetitions"] = given.quick ? 5 : 7;
  description["seconds"] = given.quick ? 0.02 : 0.1;
  description["parameters"] = offered.parameters;
  description["input"] = stem + ".input.npy";
  save_npy(path + ".input.npy", offered.input);
  if (offered.expected) {
    description["expected"] = stem + ".expected.npy";
    save_npy(path + ".expected.npy", *offered.expected);
  }
  std::ofstream file(path + ".json");
  file << description.dump(2) << "\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + path + ".json");
}

}  // namespace bench

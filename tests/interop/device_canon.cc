// Prints the bytes that a device hashes of a file's "signed": a device reads with jsoncpp and writes again without
// indentation. The file is metadata, or a wave with the metadata in its "targets".
#include <fstream>
#include <iostream>
#include <json/json.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream file(argv[1]);
  Json::Value document;
  std::string errors;
  if (!Json::parseFromStream(Json::CharReaderBuilder(), file, &document, &errors)) {
    std::cerr << errors;
    return 1;
  }
  const Json::Value& envelope = document.isMember("signed") ? document : document["targets"];
  Json::StreamWriterBuilder writer;
  writer["indentation"] = "";
  std::cout << Json::writeString(writer, envelope["signed"]);
}

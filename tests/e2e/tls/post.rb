# SPDX-License-Identifier: Apache-2.0
# One request by Net::HTTP: post.rb URL FILE [NAME: VALUE]...; the answer's head to FILE.head, its body to FILE.body.
require 'net/http'

url = URI(ARGV[0])
http = Net::HTTP.new(url.host, url.port)
http.use_ssl = url.scheme == 'https'
http.ca_file = ENV['SSL_CERT_FILE']
fields = ARGV[2..].to_h { |line| line.split(': ', 2) }
answer = http.start { |link| link.post(url.path, File.binread(ARGV[1]), fields) }
File.open(ARGV[1] + '.head', 'w') do |f|
  f.puts "  HTTP/1.1 #{answer.code}"
  answer.each_header { |name, value| f.puts "  #{name}: #{value}" }
end
File.binwrite(ARGV[1] + '.body', answer.body.to_s)

package org.hindmq.interop;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The history: one JSON object a line on standard output, written through at once, so that a line stands for what had
 * happened when it was written. "t" is CLOCK_MONOTONIC in nanoseconds, which other processes of this host share.
 */
final class EventLog {
   private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);

   /** One line under construction. */
   static final class Line {
      private final StringBuilder b = new StringBuilder(160);

      Line(String event) {
         b.append("{\"t\":").append(System.nanoTime()).append(",\"e\":\"").append(event).append('"');
      }

      Line add(String key, String value) {
         b.append(",\"").append(key).append("\":");
         quote(value);
         return this;
      }

      Line add(String key, long value) {
         b.append(",\"").append(key).append("\":").append(value);
         return this;
      }

      Line add(String key, double value) {
         b.append(",\"").append(key).append("\":").append(String.format(java.util.Locale.ROOT, "%.3f", value));
         return this;
      }

      Line add(String key, boolean value) {
         b.append(",\"").append(key).append("\":").append(value);
         return this;
      }

      Line add(String key, List<String> values) {
         b.append(",\"").append(key).append("\":[");
         for (int i = 0; i < values.size(); i++) {
            if (i > 0) b.append(',');
            quote(values.get(i));
         }
         b.append(']');
         return this;
      }

      private void quote(String s) {
         b.append('"');
         for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c == '"' || c == '\\') b.append('\\').append(c);
            else if (c < ' ') b.append(' ');
            else b.append(c);
         }
         b.append('"');
      }
   }

   void write(Line line) {
      byte[] bytes = line.b.append("}\n").toString().getBytes(StandardCharsets.UTF_8);
      synchronized (out) {
         try {
            out.write(bytes);
         } catch (IOException e) {
            Runtime.getRuntime().halt(4); // nobody reads the history any more
         }
      }
   }
}

package org.hindmq.interop;

import javax.jms.BytesMessage;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.Session;

/** Messages whose every byte follows from their id, so that a receiver can tell damage without asking the sender. */
final class Payload {
   private Payload() { }

   static BytesMessage message(Session s, String id, int size) throws JMSException {
      BytesMessage m = s.createBytesMessage();
      m.writeBytes(body(id, size));
      m.setStringProperty("id", id);
      m.setIntProperty("size", size);
      m.setStringProperty("_AMQ_DUPL_ID", id);
      return m;
   }

   /** Returns null when the message is what its id says, else what differs. */
   static String damage(Message m, String id, int size) throws JMSException {
      if (id == null) return "no id property";
      if (!(m instanceof BytesMessage)) return "type " + m.getClass().getSimpleName();
      BytesMessage b = (BytesMessage) m;
      if (b.getBodyLength() != size) return "length " + b.getBodyLength();
      if (b.getIntProperty("size") != size) return "size property " + b.getIntProperty("size");
      if (!id.equals(m.getStringProperty("_AMQ_DUPL_ID"))) return "duplicate id property " + m.getStringProperty("_AMQ_DUPL_ID");
      byte[] got = new byte[size];
      b.readBytes(got);
      byte[] want = body(id, size);
      for (int i = 0; i < size; i++) if (got[i] != want[i]) return "byte " + i;
      return null;
   }

   private static byte[] body(String id, int size) {
      long x = 0x9E3779B97F4A7C15L ^ id.hashCode();
      byte[] b = new byte[size];
      for (int i = 0; i < size; i++) {
         if (i % 8 == 0) {
            x ^= x << 13;
            x ^= x >>> 7;
            x ^= x << 17;
         }
         b[i] = (byte) (x >>> 8 * (i % 8));
      }
      return b;
   }
}

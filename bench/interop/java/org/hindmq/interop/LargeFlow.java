package org.hindmq.interop;

import java.util.Arrays;
import java.util.Map;

import javax.jms.BytesMessage;
import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.MessageConsumer;
import javax.jms.Session;
import javax.jms.TextMessage;

/**
 * A 300 KB message. A broker carries it, or refuses it with an error that names large messages and goes on serving:
 * silence, a hang or a broken broker is a failure.
 */
final class LargeFlow {
   private static final int SIZE = 300_000;

   static final class Refused extends Exception {
      private static final long serialVersionUID = 1L;

      Refused(String why) {
         super(why);
      }
   }

   private LargeFlow() { }

   static void add(Map<String, Flow.Body> m) {
      m.put("large-message", LargeFlow::large);
   }

   static void large(Flow f) throws Exception {
      Session s = f.auto();
      BytesMessage b = s.createBytesMessage();
      byte[] raw = new byte[SIZE];
      for (int i = 0; i < SIZE; i++) raw[i] = (byte) (i * 13);
      b.writeBytes(raw);
      long start = System.nanoTime();
      try {
         s.createProducer(f.queue(s)).send(b);
      } catch (JMSException e) {
         long ms = (System.nanoTime() - start) / 1_000_000;
         String why = e.getErrorCode() + " " + e.getMessage();
         Flow.check(why.toLowerCase().contains("large"), "refused without naming large messages, after " + ms + " ms: " + why);
         Flow.check(ms < 5_000, "refused only after " + ms + " ms: " + why);
         stillServes(f);
         throw new Refused(why + " (after " + ms + " ms)");
      }
      MessageConsumer c = s.createConsumer(f.queue(s));
      BytesMessage r = (BytesMessage) Flow.must(c, "large message");
      Flow.same((long) SIZE, r.getBodyLength(), "length");
      byte[] got = new byte[SIZE];
      r.readBytes(got);
      Flow.check(Arrays.equals(raw, got), "bytes differ");
      Flow.none(c, "second copy");
   }

   private static void stillServes(Flow f) throws Exception {
      Connection c = f.factory.createConnection(f.user, f.password);
      try {
         c.start();
         Session s = c.createSession(false, Session.AUTO_ACKNOWLEDGE);
         s.createProducer(f.queue(s)).send(s.createTextMessage("small"));
         TextMessage m = (TextMessage) Flow.must(s.createConsumer(f.queue(s)), "small message after the refusal");
         Flow.same("small", m.getText(), "text after the refusal");
      } finally {
         c.close();
      }
   }
}

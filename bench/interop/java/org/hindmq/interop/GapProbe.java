package org.hindmq.interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;

import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/**
 * Durable sends, one at a time, and a consumer beside them that keeps the queue short. Measures the longest time between
 * two confirmed sends since the last mark.
 *
 * <pre>usage: GapProbe URL USER PASSWORD QUEUE PACE_MICROS</pre>
 *
 * Commands on standard input: mark, report, stop (drains and prints lost and doubled). A gap that is longer than 50 ms
 * prints a line of its own as it ends.
 */
public final class GapProbe {
   private static final long TELL_NANOS = 50_000_000;
   private static final long LATE_NANOS = 45_000_000_000L;

   private final EventLog log = new EventLog();
   private final Object lock = new Object();
   private final Map<Integer, String> seen = new HashMap<>();
   private long lastConfirm;
   private long longest;
   private long confirmedSinceMark;
   private long errors;
   private long sent;
   private long doubled;
   private volatile boolean stop;
   private volatile boolean stopReceiving;
   private volatile long lastDelivery;

   public static void main(String[] a) throws Exception {
      if (a.length != 5) {
         System.err.println("usage: GapProbe URL USER PASSWORD QUEUE PACE_MICROS");
         System.exit(2);
      }
      int code = new GapProbe().run(a);
      Runtime.getRuntime().halt(code);
   }

   private int run(String[] a) throws Exception {
      Thread sender = new Thread(() -> guard(() -> send(a)), "sender");
      Thread receiver = new Thread(() -> guard(() -> receive(a)), "receiver");
      receiver.start();
      sender.start();
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
      for (String line; (line = in.readLine()) != null; ) {
         switch (line) {
            case "mark":
               synchronized (lock) {
                  longest = 0;
                  confirmedSinceMark = 0;
               }
               log.write(new EventLog.Line("marked"));
               break;
            case "report":
               synchronized (lock) {
                  log.write(new EventLog.Line("report").add("ms", longest / 1e6).add("confirmed", confirmedSinceMark).add("errors", errors));
               }
               break;
            case "stop":
               stop = true;
               sender.join();
               lastDelivery = System.nanoTime();
               // A consumer may still sit out a call time-out of the client: what is late is not lost.
               for (long quiet = 0; quiet < LATE_NANOS && !(complete() && quiet > 1_000_000_000L); quiet = System.nanoTime() - lastDelivery) Thread.sleep(50);
               stopReceiving = true;
               receiver.join(10_000);
               synchronized (lock) {
                  log.write(new EventLog.Line("end").add("confirmed", sent).add("lost", sent - seen.size()).add("doubled", doubled).add("errors", errors));
               }
               return 0;
            default:
               System.err.println("no command " + line);
               return 2;
         }
      }
      return 5;
   }

   private boolean complete() {
      synchronized (lock) {
         return seen.size() >= sent;
      }
   }

   interface Work {
      void run() throws Exception;
   }

   private void guard(Work w) {
      try {
         w.run();
      } catch (Exception e) {
         log.write(new EventLog.Line("fatal").add("err", Load.text(e)));
         Runtime.getRuntime().halt(1);
      }
   }

   private void send(String[] a) throws Exception {
      ActiveMQConnectionFactory cf = new ActiveMQConnectionFactory(a[0]);
      Connection c = cf.createConnection(a[1], a[2]);
      c.setExceptionListener(e -> log.write(new EventLog.Line("conn").add("err", Load.text(e))));
      c.start();
      Session s = c.createSession(false, Session.AUTO_ACKNOWLEDGE);
      MessageProducer p = s.createProducer(s.createQueue(a[3]));
      long pace = Long.parseLong(a[4]) * 1_000;
      lastConfirm = System.nanoTime();
      for (int n = 0; !stop; n++) {
         TextMessage m = s.createTextMessage("m" + n);
         m.setIntProperty("seq", n);
         m.setStringProperty("_AMQ_DUPL_ID", a[3] + n);
         while (!sent(p, m, n)) Link.rest();
         if (pace > 0) LockSupport.parkNanos(pace);
      }
   }

   private boolean sent(MessageProducer p, Message m, int n) {
      try {
         p.send(m);
      } catch (JMSException e) {
         synchronized (lock) {
            errors++;
         }
         log.write(new EventLog.Line("send.info").add("n", n).add("err", Load.text(e)));
         return false;
      }
      long now = System.nanoTime();
      long gap;
      synchronized (lock) {
         gap = now - lastConfirm;
         lastConfirm = now;
         sent++;
         confirmedSinceMark++;
         if (n > 0 && gap > longest) longest = gap;
      }
      if (n == 0) log.write(new EventLog.Line("started"));
      else if (gap > TELL_NANOS) log.write(new EventLog.Line("gap").add("ms", gap / 1e6).add("n", n));
      return true;
   }

   private void receive(String[] a) throws Exception {
      ActiveMQConnectionFactory cf = new ActiveMQConnectionFactory(a[0]);
      Connection c = cf.createConnection(a[1], a[2]);
      c.start();
      Session s = c.createSession(false, Session.CLIENT_ACKNOWLEDGE);
      MessageConsumer mc = s.createConsumer(s.createQueue(a[3]));
      int unacknowledged = 0;
      while (!stopReceiving) {
         try {
            Message m = mc.receive(100);
            if (m == null) continue;
            lastDelivery = System.nanoTime();
            int seq = m.getIntProperty("seq");
            synchronized (lock) {
               // The client gives each send a new message id: another one is a second accepted message, the same a redelivery.
               String first = seen.putIfAbsent(seq, m.getJMSMessageID());
               if (first != null && !first.equals(m.getJMSMessageID())) doubled++;
            }
            if (++unacknowledged % 10 == 0) m.acknowledge();
         } catch (JMSException e) {
            log.write(new EventLog.Line("consume.error").add("err", Load.text(e)));
            Link.rest();
         }
      }
   }
}

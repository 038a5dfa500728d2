package org.hindmq.interop;

import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.Session;

import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/**
 * A connection and a session that are made anew only when the client has given them up: riding over a failover is the
 * client's work, and what is under test.
 */
final class Link {
   private final Load load;
   private final String name;
   private final int mode;
   private ActiveMQConnectionFactory factory;
   private Connection connection;
   private Session session;

   Link(Load load, String name, int mode) {
      this.load = load;
      this.name = name;
      this.mode = mode;
   }

   /** Returns the session, connecting in a loop if there is none. Null when asked to stop meanwhile. */
   Session session(java.util.function.BooleanSupplier stop) {
      while (session == null) {
         if (stop.getAsBoolean()) return null;
         try {
            factory = new ActiveMQConnectionFactory(load.url);
            connection = factory.createConnection(load.user, load.password);
            connection.setExceptionListener(e -> load.log.write(new EventLog.Line("conn").add("c", name).add("err", Load.text(e))));
            session = connection.createSession(mode == Session.SESSION_TRANSACTED, mode);
            connection.start();
            load.log.write(new EventLog.Line("open").add("c", name));
         } catch (JMSException e) {
            load.log.write(new EventLog.Line("open.fail").add("c", name).add("err", Load.text(e)));
            close();
            rest();
         }
      }
      return session;
   }

   /** Called after an exception: returns true when the session is of no more use and was dropped. */
   boolean failed(JMSException e) {
      boolean closed = e instanceof javax.jms.IllegalStateException || "OBJECT_CLOSED".equals(e.getErrorCode());
      if (closed) close();
      else rest();
      return closed;
   }

   static void rest() {
      try {
         Thread.sleep(5);
      } catch (InterruptedException e) {
         Thread.currentThread().interrupt();
      }
   }

   void close() {
      session = null;
      try {
         if (connection != null) connection.close();
      } catch (JMSException e) {
         load.log.write(new EventLog.Line("close.fail").add("c", name).add("err", Load.text(e)));
      }
      connection = null;
      if (factory != null) factory.close();
      factory = null;
   }
}
